r"""How stress stiffens or weakens a body: the geometric stiffness of small motions about a stressed state.

    K_σ(v, u) = ∫ ∂v_i/∂x_j σ_jk ∂u_i/∂x_k dV

which is a diffusion of each component with the stress for conductivity; about an axis the circumference adds
∫ v_r σ_θθ u_r / r² dV. Tension stiffens. Follower effects of pressure are not part of it: loads keep their direction.

Source: Zienkiewicz, Taylor, "The Finite Element Method", volume 2, 2000, section 10.3 (initial stress matrix).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skfem import BilinearForm
from skfem.helpers import grad

from dougong.messages import InputError, violation
from dougong.solver.assemble import BlockMatrix, pattern
from dougong.solver.model import Model
from dougong.solver.recover import cell_values
from dougong.solver.thermal.strain import Terms

Array = NDArray[np.float64]

_ZZ = 2


@BilinearForm
def geometric(u: Any, v: Any, w: Any) -> Any:
    """∂v_i/∂x_j σ_jk ∂u_i/∂x_k; what `geometric_stiffness` is held to in space and in the plane."""
    return np.einsum("ij...,jk...,ik...", grad(v), w.stress, grad(u))


@BilinearForm
def ring_geometric(u: Any, v: Any, w: Any) -> Any:
    """The same about an axis, `w.stress` of shape (3, 3, ...) with the hoop stress last."""
    across = np.einsum("ij...,jk...,ik...", grad(v), w.stress[:2, :2], grad(u))
    return across + v[0] * w.stress[_ZZ, _ZZ] * u[0] / w.x[0] ** 2


def geometric_stiffness(model: Model, u: Array, thermal: Terms | None = None) -> BlockMatrix:
    """The geometric stiffness of the stress that a static state has, no conditions built in.

    Parameters
    ----------
    model
        The static step on this part.
    u
        shape (n_local, nc): its solution, ghosts too.
    thermal
        Temperatures that strained the body in it; default: that of the model.

    Returns
    -------
    BlockMatrix
        Block rows of the owned nodes, in the pattern of the stiffness.
    """
    part, nc, dim = model.part, model.components, model.part.dim
    indptr, indices = pattern([b.nodes for b in part.blocks], part.n_owned, part.n_local)
    rows = np.repeat(np.arange(part.n_owned, dtype=np.int64), np.diff(indptr))
    keys = rows * part.n_local + indices
    alike, radial = np.zeros(len(keys)), np.zeros(len(keys))
    for cells in cell_values(model, u, thermal):
        nodes = part.blocks[cells.block].nodes[cells.rows]
        J = np.einsum("qaj,nai->nqij", cells.reference.dN, part.points[nodes], optimize=True)
        G = np.einsum("qaj,nqji->nqai", cells.reference.dN, np.linalg.inv(J), optimize=True)  # (n, nq, k, dim)
        weighted = cells.flux[..., :dim, :dim] * cells.measure[..., None, None]
        SG = np.einsum("nqij,nqaj->nqai", weighted, G, optimize=True)
        _add(alike, keys, part.n_owned, part.n_local, nodes, _contracted(G, SG))
        if model.axisymmetric:
            N = cells.reference.N
            radius = part.points[nodes, 0] @ N.T
            hoop = cells.flux[..., _ZZ, _ZZ] * cells.measure / radius**2
            _add(radial, keys, part.n_owned, part.n_local, nodes, np.einsum("qa,nq,qb->nab", N, hoop, N, optimize=True))
    values = alike[:, None, None] * np.eye(nc)
    values[:, 0, 0] += radial
    return BlockMatrix(indptr, indices, values)


def prestress_stiffness(model: Model) -> BlockMatrix | None:
    """The geometric stiffness of the stress of the step that a step names; None where it names none. Collective.

    Raises
    ------
    InputError
        The step has no such frame.
    """
    if not model.step.message.HasField("prestress"):
        return None
    wanted = model.step.message.prestress
    assert model.history is not None
    there = len(model.history.frames(wanted.step))
    frame = wanted.frame if wanted.HasField("frame") else there - 1
    if not 0 <= frame < there:
        path = f"{model.step.own.path}.prestress.frame"
        raise InputError([violation("PRESTRESS_FRAME_UNKNOWN", path, frame=frame, last=there - 1)])
    u, thermal = model.history.values(wanted.step, frame), model.history.thermal(wanted.step, frame)
    return geometric_stiffness(model, u, thermal)


def _contracted(G: Array, H: Array) -> Array:
    """Sum over points and directions of G_a · H_b, both (n, nq, k, dim), shape (n, k, k)."""
    n, _, k, _ = G.shape
    left, right = (x.transpose(0, 1, 3, 2).reshape(n, -1, k) for x in (G, H))
    return np.asarray(left.transpose(0, 2, 1) @ right)


def _add(total: Array, keys: NDArray[np.int64], n_owned: int, n_local: int, nodes: NDArray[np.int32], K: Array) -> None:
    """Add element matrices of one number a pair of nodes, shape (n, k, k), to the rows of owned nodes."""
    element, a = np.nonzero(nodes < n_owned)
    wanted = nodes[element, a].astype(np.int64)[:, None] * n_local + nodes[element]
    place = np.searchsorted(keys, wanted)
    total += np.bincount(place.ravel(), K[element, a].ravel(), minlength=len(total))
