"""Compares a distributed reduction with dense algebra on one process; a program that mpiexec runs, too.

python -m mpi4py -m reduction_cases CASE [folder of petsc4py]
"""

from __future__ import annotations

import sys

if len(sys.argv) > 2 and __name__ == "__main__":
    sys.path.insert(0, sys.argv[2])

import numpy as np

from dougong.solver.assemble import assemble
from dougong.solver.conditions import ConstraintBuilder, ConstraintSet
from dougong.solver.linalg.reduction import ReducedSpace
from dougong.solver.linalg.systems import block_matrix
from dougong.solver.links.linking import held_by, linked, reduced
from dougong.solver.loadings import Conditions
from dougong.solver.model import Model
from dougong.solver.parallel.comm import Serial
from dougong.solver.reduction import Reduction, reduction
from linked_models import together, turned
from meshgen import box, plate
from solving import WORLD, elastic, heat, model_of, store, value, vector


def _oblique():
    mesh = box("tet4", (3, 2, 2), (3, 1, 1), distort=0.2)
    c, s = np.cos(0.4), np.sin(0.4)
    turned = type(mesh)(mesh.points @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T, mesh.blocks, mesh.regions)
    conditions = [
        {"region": "x0", "symmetry": {}},
        {"region": "y0", "symmetry": {}},
        {"region": "z1", "displacement": {"z": value(1e-2)}},
    ]
    return turned, elastic(E=3.0, conditions=conditions)


def _plate():
    return plate("tri6", (4, 3)), heat(conditions=[{"region": "x0", "temperature": value(7.0)}])


EVERYTHING = {"every": {"kind": "KIND_NODES", "all": {}}}
FIXED = [{"region": "every", "fixed": {}}]

#: Name -> mesh and analysis.
CASES = {
    "oblique": _oblique,
    "nothing held": lambda: (box("hex8", (2, 2, 2)), elastic(E=3.0)),
    "everything held": lambda: (box("hex8", (1, 1, 1)), elastic(regions=EVERYTHING, conditions=FIXED)),
    "temperature": _plate,
}


def stiffness(model: Model):
    """Block rows of the stiffness without conditions."""
    part = model.part
    loads = np.zeros((part.n_local, model.components))
    return assemble(model, ConstraintSet.none(part.n_local, model.components), loads, []).matrix


def dense_stiffness(model: Model) -> np.ndarray:
    """The whole stiffness of a model on one process, in the order of the stored mesh."""
    part, nc = model.part, model.components
    K = np.zeros((part.n_local, nc, part.n_local, nc))
    matrix = stiffness(model)
    rows = np.repeat(np.arange(matrix.n_rows), np.diff(matrix.indptr))
    for row, column, values in zip(rows, matrix.indices, matrix.values, strict=True):
        K[part.nodes[row], :, part.nodes[column]] += values
    return K.reshape(part.n_local * nc, -1)


def whole_transfer(found: Reduction) -> np.ndarray:
    """T of all ranks, rows in the order of the stored mesh. Collective."""
    part, nc = found.part, found.components
    T = np.zeros((part.n_total, nc, found.n_total))
    T[part.nodes[: part.n_owned]] = found.transfer.toarray().reshape(part.n_owned, nc, found.n_total)
    return np.asarray(part.comm.sum(T)).reshape(part.n_total * nc, found.n_total)


def gathered(found: Reduction, q: np.ndarray) -> np.ndarray:
    """Values of all independent unknowns. Collective."""
    return np.concatenate(found.part.comm.gather(q))


def by_stored_node(found: Reduction, u: np.ndarray) -> np.ndarray:
    """Values at all nodes in the order of the stored mesh, one after the other. Collective."""
    part = found.part
    out = np.zeros((part.n_total, u.shape[1]))
    out[part.nodes[: part.n_owned]] = u
    return np.asarray(part.comm.sum(out)).ravel()


def dense(A, found: Reduction) -> np.ndarray:
    """The rows of all ranks of a reduced PETSc matrix. Collective."""
    rows = np.zeros((found.n, found.n_total))
    for k in range(found.n):
        columns, values = A.getRow(found.first + k)
        rows[k, columns] = values
    return np.concatenate(found.part.comm.gather(rows))


def _linked():
    """Two bodies tied, one held obliquely, the other moved by a point; equations in a chain; a spring."""
    mesh = together(("a_", box("hex8", (2, 2, 2)), (0, 0, 0)), ("b_", box("hex8", (2, 3, 3)), (1.0, 0, 0)))
    mesh, _ = turned(mesh)
    conditions = [
        {"region": "a_x0", "symmetry": {}},
        {"region": "a_z0", "fixed": {}},
        {"referenceMotion": {"coupling": "head", "x": value(0.1), "rotationY": value(0.02)}},
    ]
    chain = [(3, 7), (7, 11)]
    return mesh, elastic(
        E=3.0,
        conditions=conditions,
        ties=[{"slave": "b_x0", "master": "a_x1"}],
        couplings={"foot": {"region": "b_z1", "distributing": {}}, "head": {"region": "b_x1", "kinematic": {}}},
        equations=[
            {
                "terms": [
                    {"node": a, "component": "COMPONENT_Y", "coefficient": 1.0},
                    {"node": b, "component": "COMPONENT_Y", "coefficient": -0.5},
                ],
                "value": 0.03,
            }
            for a, b in chain
        ],
        springs=[{"at": {"coupling": "foot"}, "to": {"node": 20}, "stiffness": vector(x=2.0, z=5.0)}],
    )


def compare_linked(blocks: bool) -> None:
    """A reduction by links: T spans what all equations leave free, springs and points are reduced with it."""
    mesh, given = _linked()
    stored = WORLD.bcast(store(mesh) if WORLD.rank == 0 else None)
    model, alone = model_of(stored, given), model_of(stored, given, Serial())
    conditions = Conditions(model)
    links = linked(model)
    found = reduced(model.part, conditions.constraints, links, held_by(conditions, links, 1), blocks=blocks)
    held_alone = ConstraintBuilder(alone).run()
    n_nodes, nc, unknowns = model.part.n_total, model.components, links.unknowns

    # All equations, those of conditions among them, as one dense system A x = b for nodes and points.
    A, b = [links.equations.matrix.toarray()], [links.equations.number]
    for k in range(n_nodes):
        row = held_alone.index[k]
        if row >= 0:
            part = np.zeros((nc, unknowns.total))
            node = alone.part.nodes[k]
            part[:, node * nc : node * nc + nc] = np.eye(nc) - held_alone.projectors[row]
            A.append(part)
            b.append(held_alone.prescribed[row])
    motions = conditions.motions(0, links)
    fixed = np.flatnonzero(~np.isnan(motions))
    A.append(np.eye(unknowns.total)[unknowns.of_nodes + fixed])
    b.append(motions[fixed])
    A, b = np.concatenate(A), np.concatenate(b)

    used = ~np.concatenate(model.part.comm.gather(found.unused))
    T = np.concatenate([whole_transfer(found), found.point_transfer.toarray()])
    assert not T[:, ~used].any()
    T = T[:, used]
    np.testing.assert_allclose(A @ T, 0.0, atol=1e-11)
    assert T.shape[1] == unknowns.total - np.linalg.matrix_rank(A, tol=1e-9)
    assert np.linalg.matrix_rank(T, tol=1e-9) == T.shape[1]
    g = np.concatenate([by_stored_node(found, found.offset), found.point_offsets[0]])
    np.testing.assert_allclose(A @ g, b, atol=1e-11)

    comm = WORLD if WORLD.size > 1 else None
    space = ReducedSpace(found, comm)
    matrix = space.of_blocks(stiffness(model))
    space.add(matrix, found.springs, links.springs.number)
    space.hold(matrix, found.unused)
    K = np.zeros((unknowns.total, unknowns.total))
    K[: unknowns.of_nodes, : unknowns.of_nodes] = dense_stiffness(alone)
    S = links.springs.matrix.toarray()
    K += S.T @ np.diag(links.springs.number) @ S
    reduced_K = dense(matrix, found)
    np.testing.assert_allclose(reduced_K[np.ix_(used, used)], T.T @ K @ T, atol=1e-11 * np.abs(K).max())
    assert not reduced_K[np.ix_(used, ~used)].any()
    assert (np.diag(reduced_K)[~used] > 0).all()
    assert matrix.getBlockSize() == (nc if blocks else 1)
    q = np.sin(np.arange(found.first, found.first + found.n)) * ~found.unused
    u = space.expand(q, found.offset)
    np.testing.assert_allclose(
        by_stored_node(found, u), (T @ gathered(found, q)[used] + g)[: unknowns.of_nodes], atol=1e-12
    )
    matrix.destroy()
    space.destroy()


def compare(case: str) -> None:
    """All that a reduction does, against dense algebra."""
    mesh, given = CASES[case]()
    stored = store(mesh) if WORLD.rank == 0 else None
    stored = WORLD.bcast(stored)
    model, alone = model_of(stored, given), model_of(stored, given, Serial())
    held, held_alone = ConstraintBuilder(model).run(), ConstraintBuilder(alone).run()
    n_nodes, nc = model.part.n_total, model.components

    found = reduction(model.part, held)
    T, g = whole_transfer(found), by_stored_node(found, found.offset)
    expected = np.zeros((n_nodes, nc, n_nodes, nc))
    expected_g = np.zeros((n_nodes, nc))
    for k in range(n_nodes):
        row = held_alone.index[k]
        node = alone.part.nodes[k]
        expected[node, :, node] = held_alone.projectors[row] if row >= 0 else np.eye(nc)
        expected_g[node] = held_alone.prescribed[row] if row >= 0 else 0.0
    P = expected.reshape(n_nodes * nc, -1)
    assert found.n_total == round(np.trace(P))
    np.testing.assert_allclose(T @ T.T, P, atol=1e-14)
    np.testing.assert_allclose(T.T @ T, np.eye(found.n_total), atol=1e-14)
    np.testing.assert_allclose(g, expected_g.ravel(), atol=1e-14)

    comm = WORLD if WORLD.size > 1 else None
    space = ReducedSpace(found, comm)
    A = block_matrix(model.part, stiffness(model), comm)
    reduced = space.matrix(A)
    K = dense_stiffness(alone)
    np.testing.assert_allclose(dense(reduced, found), T.T @ K @ T, atol=1e-12 * np.abs(K).max())

    f = np.sin(3.0 * model.part.points[: model.part.n_owned] @ np.arange(1.0, model.part.dim + 1))[:, None]
    f = f * np.arange(1, nc + 1)
    q = space.restrict(f)
    np.testing.assert_allclose(gathered(found, q), T.T @ by_stored_node(found, f), atol=1e-13)
    u = space.expand(q, found.offset)
    np.testing.assert_allclose(by_stored_node(found, u), T @ gathered(found, q) + g, atol=1e-13)
    np.testing.assert_allclose(space.coordinates(u - found.offset), q, atol=1e-13)

    modes = model.physics.free_modes(model.part.points[: model.part.n_owned])[1]
    if found.n_total:
        space.near_nullspace(reduced, modes)
        vectors = reduced.getNearNullSpace().getVecs()
        B = np.stack([gathered(found, v.getArray()) for v in vectors], axis=1)
        np.testing.assert_allclose(B.T @ B, np.eye(B.shape[1]), atol=1e-12)
        wanted = np.stack([T.T @ by_stored_node(found, modes[:, :, k]) for k in range(modes.shape[2])], axis=1)
        assert np.linalg.matrix_rank(wanted, tol=1e-8) == B.shape[1]
        np.testing.assert_allclose(B @ (B.T @ wanted), wanted, atol=1e-10)
    for thing in (reduced, A):
        thing.destroy()
    space.destroy()


if __name__ == "__main__":
    if sys.argv[1].startswith("linked"):
        compare_linked(sys.argv[1] == "linked in blocks")
    else:
        compare(sys.argv[1])
