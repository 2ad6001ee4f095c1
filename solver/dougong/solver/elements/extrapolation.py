"""From the integration points of a cell to its nodes."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CellType
from dougong.solver.elements.reference import stiffness_reference

Array = NDArray[np.float64]


@cache
def extrapolation(name: str) -> Array:
    """Matrix from the integration points of `stiffness_reference` to the nodes, shape (n_nodes, nq).

    Least-squares fit of a polynomial over the cell: complete of degree order - 1 on triangles and tetrahedra, of
    degree order in each direction on quadrilaterals and hexahedra, linear times linear on wedges: the polynomials
    of which the gradients on an affine cell are, so that the fit is exact there. A multilinear fit on quadratic
    hexahedra loses terms such as the derivative of x^2 y along y, and with them the stress at the surface of a
    thick plate (test NAFEMS LE10). (Hinton and Campbell, "Local and global smoothing of discontinuous finite
    element functions using a least squares method", IJNME 8, 1974.)
    """
    reference = stiffness_reference(name)
    cell = reference.type
    powers = _fit_powers(cell)

    def monomials(X: Array) -> Array:  # (dim, n) -> (n, n_terms)
        return np.array([np.prod(X.T**p, axis=1) for p in powers]).T

    nodes = np.array(cell.reference).T
    return np.asarray(monomials(nodes) @ np.linalg.pinv(monomials(reference.X)))


def _fit_powers(cell: CellType) -> list[NDArray[np.int64]]:
    dim = cell.dim
    if cell.family in ("tri", "tet"):
        rows = [[0] * dim]
        if cell.order == 2:
            rows += np.eye(dim, dtype=int).tolist()
    elif cell.family == "wedge":
        rows = [[a, b, c] for c in (0, 1) for a, b in ((0, 0), (1, 0), (0, 1))]
    else:
        rows = [list(index) for index in np.ndindex(*(cell.order + 1,) * dim)]
    return [np.array(r) for r in rows]
