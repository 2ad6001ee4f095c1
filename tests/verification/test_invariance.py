"""The answer does not depend on axes, numbering, units, or the way the model is written down."""

import numpy as np
import pytest

from dougong.meshes.mesh import CellBlock, Mesh, Region, RegionKind
from mapped import rotation
from meshgen import box, plate
from solving import elastic, heat, solve, value, vector

STOCKY, THIN = 1e-8, 1e-6
TURN = rotation((1.0, -2.0, 3.0), 0.8)
FIELDS = {"fields": [{"name": n} for n in ("displacement", "reaction", "stress", "von_mises", "principal_stress")]}
DIRECT, ITERATIVE = {"method": "METHOD_DIRECT"}, {"method": "METHOD_ITERATIVE", "relativeTolerance": 1e-12}
VOIGT = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0))


def tensor(stress):
    out = np.empty((len(stress), 3, 3))
    for k, (i, j) in enumerate(VOIGT):
        out[:, i, j] = out[:, j, i] = stress[:, k]
    return out


def equal(a, b, tolerance):
    return np.abs(a - b).max() <= tolerance * np.abs(a).max()


def along(direction, **amounts):
    """A vector given in turned axes, as components in global ones."""
    v = direction @ [amounts.get(c, 0.0) for c in "xyz"]
    return vector(x=v[0], y=v[1], z=v[2])


def bar(axes, solver=DIRECT, scale=1.0, force=1.0, E=2.1e5):
    pressure = force / scale**2
    return elastic(
        E * pressure,
        material={"density": value(1e-6 * force / scale**3)},
        conditions=[{"region": "x0", "fixed": {}}, {"region": "y0", "symmetry": {}}],
        loads=[
            {"region": "x1", "totalForce": along(axes, x=3.0 * force, z=-5.0 * force)},
            {"region": "z1", "pressure": value(2.0 * pressure)},
            {"region": "y1", "traction": along(axes, x=1.0 * pressure)},
            {"region": "", "gravity": along(axes, z=-9.81)},
        ],
        outputs=FIELDS,
        solver=solver,
    )


@pytest.mark.parametrize(
    ("cell_type", "n", "size", "solver", "tolerance"),
    [
        ("hex20", (3, 2, 2), (2.0, 1.0, 1.0), DIRECT, STOCKY),
        ("tet10", (3, 2, 2), (2.0, 1.0, 1.0), ITERATIVE, STOCKY),
        ("wedge6", (4, 2, 2), (2.0, 1.0, 1.0), ITERATIVE, STOCKY),
        ("hex20", (12, 12, 1), (1.0, 1.0, 0.01), DIRECT, THIN),
    ],
)
def test_turned_in_space(cell_type, n, size, solver, tolerance):
    mesh = box(cell_type, n, size)
    turned = Mesh(mesh.points @ TURN.T + [5.0, -3.0, 2.0], mesh.blocks, mesh.regions)
    a, b = solve(mesh, bar(np.eye(3), solver)), solve(turned, bar(TURN, solver))
    for name in ("displacement", "reaction"):
        assert equal(a.field(name) @ TURN.T, b.field(name), tolerance), name
    back = np.einsum("ia,nij,jb->nab", TURN, tensor(b.field("stress")), TURN)
    assert equal(tensor(a.field("stress")), back, tolerance)
    for name in ("von_mises", "principal_stress"):
        assert equal(a.field(name), b.field(name), tolerance), name
    assert a.step.balance.internal_energy == pytest.approx(b.step.balance.internal_energy, rel=tolerance)


@pytest.mark.parametrize(("cell_type", "solver"), [("hex20", DIRECT), ("tet4", ITERATIVE), ("tet10", ITERATIVE)])
def test_numbered_otherwise(cell_type, solver):
    mesh = box(cell_type, (3, 2, 2), distort=0.2)
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
    other = Mesh(mesh.points[nodes], (block,), tuple(regions), node_ids=nodes + 1)
    a, b = solve(mesh, bar(np.eye(3), solver)), solve(other, bar(np.eye(3), solver))
    for info in a.result.fields:
        assert equal(a.field(info.name)[nodes], b.field(info.name), STOCKY), info.name
    # Numbers of the file come back in the summary.
    largest = a.extreme("displacement_magnitude")
    assert b.extreme("displacement_magnitude").max_node == largest.max_node


@pytest.mark.parametrize("solver", [DIRECT, ITERATIVE])
def test_in_other_units(solver):
    """Metres, newtons, pascals against millimetres, newtons, megapascals; and against units far from one."""
    mesh = box("hex20", (3, 2, 2), (2.0, 1.0, 1.0))
    a = solve(mesh, bar(np.eye(3), solver))
    # Beyond single precision: stiffnesses of 1e59 and 1e-51, volumes of 1e54 and 1e-45.
    for scale, force in ((1e3, 1.0), (1e-6, 1e9), (1.0, 1e54), (1.0, 1e-56), (1e18, 1.0), (1e-15, 1.0)):
        scaled = Mesh(mesh.points * scale, mesh.blocks, mesh.regions)
        b = solve(scaled, bar(np.eye(3), solver, scale, force))
        units = {"displacement": scale, "reaction": force}
        for info in a.result.fields:
            unit = units.get(info.name, force / scale**2)
            assert equal(a.field(info.name) * unit, b.field(info.name), STOCKY), info.name
        if "p-multigrid" in a.step.solve.method:  # a few more or less by rounding
            assert abs(b.step.solve.iterations - a.step.solve.iterations) <= 3


def test_heat_in_other_units_and_scales():
    """W, m, K against mW, mm, degrees Celsius: the scale of temperature has no zero of its own."""
    mesh = plate("quad8", (5, 4), distort=0.3)

    def given(length, power, zero):
        film = {"coefficient": value(7.0 * power / length**2), "ambient": value(300.0 - zero)}
        return heat(
            2.0 * power / length,
            sections=[{"material": "m", "thickness": value(0.1 * length)}],
            conditions=[{"region": "x0", "temperature": value(400.0 - zero)}],
            loads=[
                {"region": "y1", "convection": film},
                {"region": "x1", "heatFlux": value(3.0 * power / length**2)},
                {"region": "", "heatSource": value(5.0 * power / length**3)},
            ],
        )

    a = solve(mesh, given(1.0, 1.0, 0.0))
    b = solve(Mesh(mesh.points * 1e3, mesh.blocks, mesh.regions), given(1e3, 1e3, 273.15))
    assert equal(a.field("temperature") - 273.15, b.field("temperature"), STOCKY)
    assert equal(a.field("heat_flux") * 1e-3, b.field("heat_flux"), STOCKY)
    assert equal(a.field("reaction") * 1e3, b.field("reaction"), STOCKY)


def test_direct_and_iterative_agree():
    mesh = box("tet10", (4, 2, 2), (2.0, 1.0, 1.0))
    a, b = solve(mesh, bar(np.eye(3), DIRECT)), solve(mesh, bar(np.eye(3), ITERATIVE))
    for info in a.result.fields:
        assert equal(a.field(info.name), b.field(info.name), STOCKY), info.name


def test_superposition():
    """Two steps with half of the loads each add up to one with all."""
    mesh = box("hex8", (4, 2, 2), (2.0, 1.0, 1.0))
    whole = bar(np.eye(3))
    loads, conditions = whole["steps"][0]["loads"], whole["steps"][0]["conditions"]
    parts = dict(
        whole, steps=[{"static": {}, "conditions": conditions, "loads": some} for some in (loads[:2], loads[2:])]
    )
    one, two = solve(mesh, whole), solve(mesh, parts)
    assert [s.name for s in two.result.steps] == ["step-1", "step-2"]
    for name in ("displacement", "reaction", "stress"):
        total = two.field(name, step="step-1") + two.field(name, step="step-2")
        assert equal(one.field(name), total, STOCKY), name
