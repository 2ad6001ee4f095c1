"""Axes, numbering and ranks change nothing under any integration and formulation; iterations stay what they are.

Two schemes in one mesh, so that blocks are cut into groups on every rank.
"""

import numpy as np
import pytest

from dougong.meshes.mesh import CellBlock, Mesh, Region, RegionKind
from mapped import rotation
from meshgen import box, plate
from schemes import section
from solving import elastic, solve, value, vector

TURN = rotation((1.0, -2.0, 3.0), 0.8)
DIRECT, ITERATIVE = {"method": "METHOD_DIRECT"}, {"method": "METHOD_ITERATIVE", "relativeTolerance": 1e-12}
VOIGT = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0))
TOLERANCE = 1e-8
CASES = [
    ("hex20", {"integration": "reduced"}, {}, ITERATIVE),
    ("hex20", {"integration": "reduced"}, {"formulation": "mixed"}, DIRECT),
    ("hex8", {"formulation": "incompatible_modes"}, {"formulation": "b_bar"}, ITERATIVE),
]


def halves(cell_type):
    mesh = box(cell_type, (4, 2, 2), (2.0, 1.0, 1.0), distort=0.2, seed=2)
    left = mesh.points[mesh.blocks[0].nodes].mean(axis=1)[:, 0] < 1.0
    sides = [("left", np.flatnonzero(left)), ("right", np.flatnonzero(~left))]
    regions = [Region(name, RegionKind.CELLS, cells) for name, cells in sides]
    return Mesh(mesh.points, mesh.blocks, (*mesh.regions, *regions))


def given(left, right, solver, turn=None):
    force = np.array([3.0, 0.0, -5.0]) if turn is None else turn @ [3.0, 0.0, -5.0]
    return elastic(
        2.1e5,
        0.3,
        sections=[section(region="left", **left), section(region="right", **right)],
        conditions=[{"region": "x0", "fixed": {}}, {"region": "y0", "symmetry": {}}],
        loads=[
            {"region": "x1", "totalForce": vector(x=force[0], y=force[1], z=force[2])},
            {"region": "z1", "pressure": value(2.0)},
        ],
        outputs={"fields": [{"name": name} for name in ("displacement", "reaction", "stress", "von_mises")]},
        solver=solver,
    )


def close(a, b):
    return np.abs(a - b).max() <= TOLERANCE * np.abs(a).max()


def tensor(stress):
    out = np.empty((len(stress), 3, 3))
    for k, (i, j) in enumerate(VOIGT):
        out[:, i, j] = out[:, j, i] = stress[:, k]
    return out


@pytest.mark.parametrize(("cell_type", "left", "right", "solver"), CASES)
def test_turned_in_space(cell_type, left, right, solver):
    mesh = halves(cell_type)
    turned = Mesh(mesh.points @ TURN.T + [5.0, -3.0, 2.0], mesh.blocks, mesh.regions)
    a, b = solve(mesh, given(left, right, solver)), solve(turned, given(left, right, solver, TURN))
    assert a.step.balance.equilibrium_error < 1e-9
    assert a.step.balance.energy_error < 1e-9
    assert close(a.field("displacement") @ TURN.T, b.field("displacement"))
    assert close(a.field("reaction") @ TURN.T, b.field("reaction"))
    assert close(tensor(a.field("stress")), TURN.T @ tensor(b.field("stress")) @ TURN)


@pytest.mark.parametrize(("cell_type", "left", "right", "solver"), CASES)
def test_numbered_otherwise(cell_type, left, right, solver):
    mesh = halves(cell_type)
    rng = np.random.default_rng(7)
    nodes, cells = rng.permutation(mesh.n_nodes), rng.permutation(mesh.n_cells)
    new_node, new_cell = np.argsort(nodes), np.argsort(cells)
    regions = []
    for r in mesh.regions:
        entries = r.entries.copy()
        if r.kind == RegionKind.FACETS:
            entries[:, 0] = new_cell[entries[:, 0]]
            entries = entries[np.lexsort((entries[:, 1], entries[:, 0]))]
        else:
            entries = np.sort(new_cell[entries])
        regions.append(Region(r.name, r.kind, entries))
    block = CellBlock(mesh.blocks[0].type, new_node[mesh.blocks[0].nodes][cells])
    other = Mesh(mesh.points[nodes], (block,), tuple(regions))
    a, b = (solve(m, given(left, right, solver)) for m in (mesh, other))
    for name in ("displacement", "stress", "von_mises"):
        assert close(a.field(name)[nodes], b.field(name)), name


@pytest.mark.parametrize(("cell_type", "left", "right", "solver"), CASES)
def test_same_answer_on_several_ranks(cell_type, left, right, solver):
    mesh, asked = halves(cell_type), given(left, right, solver)
    asked["outputs"]["fields"].append({"name": "stress", "location": "LOCATION_INTEGRATION_POINT"})
    alone = solve(mesh, asked)
    for ranks in (2, 3):
        several = solve(mesh, asked, ranks=ranks)
        for info in alone.result.fields:
            where = "point" if info.point_counts else "node"
            a, b = (s.field(info.name, where) for s in (alone, several))
            assert (np.isnan(a) == np.isnan(b)).all()
            assert close(np.nan_to_num(a), np.nan_to_num(b)), (info.name, ranks)


@pytest.mark.parametrize(("cell_type", "n"), [("hex20", 7), ("quad8", 60)])
def test_reduced_integration_keeps_the_multigrid(cell_type, n):
    """Where the body is held, motions of a cell alone without stiffness do not disturb the iteration."""
    mesh = plate(cell_type, (n, n)) if cell_type == "quad8" else box(cell_type, (n, n, n))
    own = {"kinematics": "plane_strain"} if cell_type == "quad8" else {}
    load = {"region": "x1", "traction": vector(y=1.0)}
    found = {}
    for rule in ("full", "reduced"):
        asked = elastic(sections=[section(integration=rule, **own)], solver={"method": "METHOD_ITERATIVE"},
                        conditions=[{"region": "x0", "fixed": {}}], loads=[load])  # fmt: skip
        solved = solve(mesh, asked)
        assert "p-multigrid" in solved.step.solve.method
        assert solved.step.balance.energy_error < 1e-6
        found[rule] = solved.step.solve.iterations, solved.extreme("displacement_magnitude").max
    assert found["reduced"][0] <= 1.5 * found["full"][0]
    assert found["reduced"][1] == pytest.approx(found["full"][1], rel=0.01)
