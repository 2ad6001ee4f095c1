"""Which motions of a model nothing holds.

A motion without flux (a rigid body, a constant temperature) of a connected part costs nothing; unless conditions
exclude it the system is singular. Parts that touch only along an edge or at a node are hinged: they are taken as
separate bodies, tied together at the nodes they share, so that mechanisms are found as well.

For each body the coefficients of its free modes are unknowns; conditions and shared nodes are equations for them; what
remains is the null space of a small matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from dougong.meshes.cells import CELL_TYPES
from dougong.messages import LANGUAGES, render, violation
from dougong.solver.conditions import ConstraintSet
from dougong.solver.links.motions import LinkRows
from dougong.solver.loads import LoadBuilder
from dougong.solver.model import Model
from dougong.v1 import job_pb2

Array = NDArray[np.float64]

#: Values of the free motions at some nodes, shape (n, nc, n_modes).
Modes = Callable[[NDArray[np.int32]], Array]

#: A motion counts as free if it moves what is held by less than this part of the largest displacement: coordinates with
#: seven digits let a hinge be that crooked, and a support may be that small beside the part.
_FREE = 1e-6
#: Shared nodes that are used to tie two bodies; more add nothing.
_TIES = 64
#: Modes of so many bodies are examined together; beyond, only body by body.
_MAX_BODIES = 400


@dataclass(frozen=True)
class Body:
    """Cells connected through facets.

    Attributes
    ----------
    cells
        Their number.
    first_cell
        Index of the first of them in the stored mesh.
    nodes
        Local numbers of their nodes.
    """

    cells: int
    first_cell: int
    nodes: NDArray[np.int32]


def bodies(model: Model) -> list[Body]:
    """The bodies of a model on one process."""
    part = model.part
    starts = np.concatenate([[0], np.cumsum([len(b) for b in part.blocks])])
    keys, owners = [], []
    for k, block in enumerate(part.blocks):
        for facet_type, corner in block.type.facets:
            n = CELL_TYPES[facet_type].n_corners
            corners = np.sort(block.nodes[:, corner[:n]], axis=1).astype(np.int64)
            # Three corners determine a facet of a valid mesh (two in the plane).
            kept = corners[:, : min(n, 3)]
            key = kept[:, 0]
            for column in range(1, kept.shape[1]):
                key = key * part.n_local + kept[:, column] if part.n_local < 2_000_000 else _pair(key, kept[:, column])
            keys.append(key)
            owners.append(starts[k] + np.arange(len(block)))
    key, owner = np.concatenate(keys), np.concatenate(owners)
    order = np.argsort(key, kind="stable")
    key, owner = key[order], owner[order]
    same = np.flatnonzero(key[1:] == key[:-1])
    n_cells = int(starts[-1])
    graph = sparse.coo_matrix(
        (np.ones(len(same), dtype=bool), (owner[same], owner[same + 1])), shape=(n_cells, n_cells)
    )
    count, label = connected_components(graph, directed=False)
    found = []
    node_lists: list[list[NDArray[np.int32]]] = [[] for _ in range(count)]
    first = np.full(count, np.iinfo(np.int64).max)
    for k, block in enumerate(part.blocks):
        here = label[starts[k] : starts[k + 1]]
        np.minimum.at(first, here, block.cells)
        if count == 1:
            node_lists[0].append(np.unique(block.nodes))
            continue
        order = np.argsort(here, kind="stable")
        cuts = np.searchsorted(here[order], np.arange(count + 1))
        for c in range(count):
            rows = order[cuts[c] : cuts[c + 1]]
            if len(rows):
                node_lists[c].append(np.unique(block.nodes[rows]))
    sizes = np.bincount(label, minlength=count)
    for c in range(count):
        found.append(Body(int(sizes[c]), int(first[c]), np.unique(np.concatenate(node_lists[c]))))
    return found


def _pair(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """A hash of two numbers where their product might overflow; wraps around."""
    with np.errstate(over="ignore"):
        return (a * np.int64(6364136223846793005) + np.int64(1442695040888963407)) ^ (b * np.int64(3935559000370003845))


def free_motions(
    model: Model, constraints: ConstraintSet, loads: LoadBuilder, links: LinkRows | None = None
) -> list[job_pb2.Violation]:
    """What nothing holds, one violation for each body, or reference point, that is free.

    Parameters
    ----------
    model
        A step, on one process.
    constraints, loads
        Its conditions and loads.
    links
        Its links, and which unknowns of points are prescribed.
    """
    physics, points = model.physics, model.part.points
    found = bodies(model)
    centre = points.mean(axis=0)
    size = float(max(np.ptp(points, axis=0).max(), np.finfo(float).tiny))
    names, _ = physics.free_modes(points[:1], model.axisymmetric)
    n_modes = len(names)

    def modes(nodes: NDArray[np.int32]) -> Array:
        return modes_at(points[nodes])

    def modes_at(x: Array) -> Array:
        return physics.free_modes((x - centre) / size, model.axisymmetric)[1]  # (n, nc, n_modes)

    grams = [_held(body, constraints, modes, n_modes) + _restrained(body, loads, modes, n_modes) for body in found]
    n_points = 0 if links is None else len(links.links.points)
    loose = [b for b in range(len(found)) if _null(grams[b]).shape[1]]
    if not loose and not n_points:
        return []
    if (len(found) > 1 or links is not None) and len(found) <= _MAX_BODIES:
        total = _tied(found, grams, modes, n_modes, n_points)
        if links is not None:
            total += links.gram([b.nodes for b in found], modes_at, size, n_modes)
        null = _null(total)
    elif links is not None:
        return []  # too many bodies to be examined together: links may hold what alone is loose
    else:
        null = np.zeros((len(found) * n_modes, 0))
        for b in loose:
            own = _null(grams[b])
            wide = np.zeros((len(found) * n_modes, own.shape[1]))
            wide[b * n_modes : (b + 1) * n_modes] = own
            null = np.hstack([null, wide])
    return _describe(model, found, null, names) + _free_points(model, links, len(found), null, names)


def _held(body: Body, constraints: ConstraintSet, modes: Modes, n_modes: int) -> Array:
    """Gram matrix of what conditions make of the modes of a body: its null space is free."""
    gram = np.zeros((n_modes, n_modes))
    held = body.nodes[constraints.index[body.nodes] >= 0]
    for first in range(0, len(held), 65536):
        nodes = held[first : first + 65536]
        blocked = np.eye(constraints.projectors.shape[1]) - constraints.projectors[constraints.index[nodes]]
        rows = np.einsum("nij,njm->nim", blocked, modes(nodes)).reshape(-1, n_modes)
        gram += rows.T @ rows / max(1, len(held))
    return gram


def _restrained(body: Body, loads: LoadBuilder, modes: Modes, n_modes: int) -> Array:
    """The same of what loads add to the stiffness, relative to its size: a foundation may hold one direction alone."""
    gram = np.zeros((n_modes, n_modes))
    inside = np.zeros(len(loads.rhs), dtype=bool)
    inside[body.nodes] = True
    for e in loads.matrices:
        here = inside[e.nodes].all(axis=1)
        nodes, values = e.nodes[here], e.values[here]
        size = float(np.abs(np.einsum("nii->n", values)).sum())
        if not size > 0:
            continue
        at = modes(nodes.ravel()).reshape(len(nodes), -1, n_modes)  # (n, k nc, n_modes)
        gram += np.einsum("nim,nij,njl->ml", at, values, at, optimize=True) / size
    return gram


def _tied(found: list[Body], grams: list[Array], modes: Modes, n_modes: int, n_points: int) -> Array:
    """Gram matrix of all bodies together, with ties at shared nodes; so many reference points come after them."""
    n = (len(found) + n_points) * n_modes
    total = np.zeros((n, n))
    for b, gram in enumerate(grams):
        total[b * n_modes : (b + 1) * n_modes, b * n_modes : (b + 1) * n_modes] = gram
    node = np.concatenate([b.nodes for b in found])
    owner = np.concatenate([np.full(len(b.nodes), k) for k, b in enumerate(found)])
    order = np.argsort(node, kind="stable")
    node, owner = node[order], owner[order]
    shared = np.flatnonzero(node[1:] == node[:-1])
    ties: dict[tuple[int, int], list[int]] = {}
    for k in shared:
        ties.setdefault((int(owner[k]), int(owner[k + 1])), []).append(int(node[k]))
    for (a, b), nodes in ties.items():
        some = np.array(nodes, dtype=np.int32)[:: max(1, len(nodes) // _TIES)]
        rows = modes(some).reshape(-1, n_modes)
        G = rows.T @ rows / len(some)
        A, B = slice(a * n_modes, (a + 1) * n_modes), slice(b * n_modes, (b + 1) * n_modes)
        total[A, A] += G
        total[B, B] += G
        total[A, B] -= G
        total[B, A] -= G
    return total


def _null(gram: Array) -> Array:
    """Null space of a Gram matrix of order one; its eigenvalues are squares of displacements."""
    values, vectors = np.linalg.eigh(gram)
    return vectors[:, values < _FREE**2]


def _describe(model: Model, found: list[Body], null: Array, names: tuple[str, ...]) -> list[job_pb2.Violation]:
    if not null.shape[1]:
        return []
    n_modes, step = len(names), model.step
    path = f"steps[{step.index}].conditions"
    stored = model.regions.stored.load()
    out = []
    for b, body in enumerate(found):
        own = null[b * n_modes : (b + 1) * n_modes]
        if np.abs(own).max() < 1e-6:
            continue
        cell = int(stored.cell_numbers(np.array([body.first_cell]))[0])
        if model.components == 1:
            out.append(
                violation(
                    model.physics.UNDETERMINED, path, cell_ids=[cell], cell=cell, cells=body.cells, step=step.name
                )
            )
        else:
            told = {language: ", ".join(_names(own, names, language)) for language in LANGUAGES}
            found_here = violation(
                "FREE_MODES", path, cell_ids=[cell], cell=cell, cells=body.cells, step=step.name, modes=told["en"]
            )
            found_here.text_zh = render("FREE_MODES", {**found_here.params, "modes": told["zh"]}, "zh")
            out.append(found_here)
        if len(out) == 20:
            break
    return out


def _free_points(
    model: Model, links: LinkRows | None, n_bodies: int, null: Array, names: tuple[str, ...]
) -> list[job_pb2.Violation]:
    """Reference points that move in a free motion that moves no body."""
    if links is None or not null.shape[1]:
        return []
    n_modes, out = len(names), []
    of_bodies = null[: n_bodies * n_modes]
    # Combinations of the free motions that leave the bodies where they are.
    _, s, Vt = np.linalg.svd(of_bodies, full_matrices=True)
    still = Vt[int((s > 1e-6).sum()) :].T if len(of_bodies) else np.eye(null.shape[1])
    for k, point in enumerate(links.links.points):
        first = (n_bodies + k) * n_modes
        own = null[first : first + n_modes] @ still
        if not own.size or np.abs(own).max() < 1e-6:
            continue
        path, told = f'couplings["{point.name}"]', {x: ", ".join(_names(own, names, x)) for x in LANGUAGES}
        found = violation("POINT_FREE", path, coupling=point.name, motions=told["en"], step=model.step.name)
        found.text_zh = render("POINT_FREE", {**found.params, "motions": told["zh"]}, "zh")
        out.append(found)
    return out


def _names(own: Array, names: tuple[str, ...], language: str) -> list[str]:
    """The named modes inside a space, and combinations for what is left of it."""
    Q, s, _ = np.linalg.svd(own, full_matrices=False)
    Q = Q[:, s > 1e-6]
    inside = [k for k in range(len(names)) if np.linalg.norm(Q[k]) > 1 - 1e-6]
    out = [_name(names[k], language) for k in inside]
    rest = Q.shape[1] - len(inside)
    if rest > 0:
        involved = [
            _name(names[k], language) for k in range(len(names)) if k not in inside and np.linalg.norm(Q[k]) > 1e-3
        ]
        modes = (" and " if language == "en" else "、").join(involved)
        if rest == 1:
            out.append(render("FREE_COMBINATION", {"modes": modes}, language))
        else:
            out.append(render("FREE_COMBINATIONS", {"count": rest, "modes": modes}, language))
    return out


def _name(mode: str, language: str) -> str:
    """A mode of `Physics.free_modes`, such as "rotation x", in a language."""
    kind, axis = mode.split()
    return render(f"FREE_MOTION_{kind.upper()}", {"axis": axis}, language)
