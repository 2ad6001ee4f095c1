"""What acts through a cut is that of the state itself: at its temperature, at its time, on any number of ranks."""

import numpy as np
import pytest

from meshgen import box
from solving import check_model, elastic, heat, solve, value, vector
from thermal_cases import expansion, table, warm

MESH = box("hex8", (4, 1, 1), (4.0, 1.0, 1.0))
DIRECT = {"method": "METHOD_DIRECT"}
ENDS = {"sectionForces": [{"region": "x0"}, {"region": "x1"}]}
HELD = [{"region": r, "symmetry": {}} for r in ("x0", "y0", "z0")]


def sums(frame):
    return np.array([s.sum for s in frame.section_forces])


def test_heat_where_the_conductivity_depends_on_temperature():
    """k = 1 to 3 over 0 to 100: the mean is 2, the flow over a length of 4 is 50."""
    conditions = [{"region": r, "temperature": value(T)} for r, T in (("x0", 0.0), ("x1", 100.0))]
    given = heat(1.0, conditions=conditions, outputs=ENDS, solver=DIRECT)
    given["materials"]["m"]["conductivity"] = table(at=[0.0, 100.0], value=[1.0, 3.0])
    frame = solve(MESH, given).step.frames[0]
    np.testing.assert_allclose(sums(frame), [[-50.0], [50.0]], rtol=1e-8)
    np.testing.assert_allclose([r.sum[0] for r in frame.reactions], [-50.0, 50.0], rtol=1e-8)


def test_radiation_beside_a_cut():
    """All that enters at one end leaves by radiation, at the cells of the cut too."""
    radiation = {"emissivity": value(0.9), "ambient": value(300.0), "constant": value(5.67e-8)}
    given = heat(
        50.0,
        conditions=[{"region": "x0", "temperature": value(1000.0)}],
        loads=[{"region": "y1", "radiation": radiation}],
        outputs={"sectionForces": [{"region": "x0"}, {"region": "beyond"}]},
        regions={"beyond": {"kind": "KIND_CELLS", "box": {"min": {"coordinates": [0.9, -1, -1]},
                                                          "max": {"coordinates": [9, 9, 9]}}}},
        solver=DIRECT,
    )  # fmt: skip
    ended = solve(MESH, given)
    T = ended.field("temperature")[:, 0]
    entering, beyond = sums(ended.step.frames[0])[:, 0]
    on_top = np.isclose(MESH.points[:, 1], 1.0)
    first, second = (T[on_top & np.isclose(MESH.points[:, 0], x)].mean() for x in (0.0, 1.0))
    at, weights = np.polynomial.legendre.leggauss(3)
    surface = first + (second - first) * (1 + at) / 2
    radiated = 0.9 * 5.67e-8 * (surface**4 - 300.0**4) @ weights / 2
    reaction = ended.step.frames[0].reactions[0].sum[0]
    assert entering == pytest.approx(reaction, rel=1e-8)
    assert beyond == pytest.approx(reaction - radiated, rel=1e-2)


@pytest.mark.mpi
@pytest.mark.parametrize("ranks", [1, 3])
@pytest.mark.parametrize("case", [False, True])
def test_a_temperature_in_some_cells(ranks, case):
    """Half of a bar between two walls warms up by 100: the force is E A α 100 / 2."""
    conditions = [*HELD, {"region": "x1", "symmetry": {}}]
    box_ = {"min": {"coordinates": [1.9, -1, -1]}, "max": {"coordinates": [9, 9, 9]}}
    hot = warm(120.0, "hot")
    given = elastic(
        1000.0, 0.0, material=expansion(1e-3), conditions=conditions, loads=[] if case else [hot], outputs=ENDS,
        regions={"hot": {"kind": "KIND_CELLS", "box": box_}}, solver=DIRECT,
    )  # fmt: skip
    if case:
        given["steps"][0]["loadCases"] = [{"name": "warm", "loads": [hot]}]
    frame = solve(MESH, given, ranks).step.frames[0]
    np.testing.assert_allclose(sums(frame)[:, 0], [50.0, -50.0], atol=1e-8)


def following(**stress):
    """The bar warms up as a whole, from 0 by 100 a second; then a state for each frame: 0.1, ... 0.4."""
    material = {"conductivity": value(1.0), "density": value(1.0), "specificHeat": value(1.0)}
    heating = {
        "name": "heat",
        "transientHeat": {"duration": value(0.4), "outputInterval": value(0.1)},
        "loads": [{"heatSource": value(100.0)}],
        "initial": {"temperature": value(0.0)},
    }
    follow = warm({"fromStep": {"step": "heat"}, "allFrames": True})
    given = elastic(1000.0, 0.0, solver=DIRECT, outputs=ENDS, material=material | stress.pop("material"))
    step = {"name": "stress", "static": {}, "conditions": stress["conditions"], "loads": [follow, *stress["loads"]]}
    return given | {"steps": [heating, step]}


@pytest.mark.parametrize("ranks", [1, 2])
def test_loads_over_time_are_those_of_the_frame(ranks):
    """A body force t: at the end that is held the reaction -4 t, at each frame its own."""
    given = following(material=expansion(0.0), conditions=HELD, loads=[{"bodyForce": {"x": {"expression": "t"}}}])
    frames = solve(MESH, given, ranks).result.steps[1].frames
    assert len(frames) >= 4
    for frame in frames:
        np.testing.assert_allclose(sums(frame)[:, 0], [-4 * frame.value, 0.0], atol=1e-8)


def test_the_stiffness_is_that_of_the_frame():
    """Pulled at its end by 1: E falls with temperature, the force does not."""
    modulus = {"youngModulus": table(at=[0.0, 40.0], value=[1000.0, 250.0]), "poissonRatio": value(0.0)}
    pull = {"region": "x1", "totalForce": vector(x=1.0)}
    given = following(material=expansion(0.0) | {"elastic": modulus}, conditions=HELD, loads=[pull])
    frames = solve(MESH, given).result.steps[1].frames
    assert len(frames) >= 4
    for frame in frames:
        np.testing.assert_allclose(sums(frame)[:, 0], [-1.0, 1.0], atol=1e-8)


def test_steps_without_section_forces_are_named():
    held = [{"region": "x0", "fixed": {}}]
    push = {"region": "x1", "totalForce": vector(x=-1.0)}
    given = elastic(material={"density": value(1.0)}, outputs=ENDS)
    static = {"name": "push", "static": {}, "conditions": held, "loads": [push]}
    fold = {"name": "fold", "buckling": {}, "conditions": held, "loads": [push]}
    given["steps"] = [static, {"name": "ring", "modes": {}}, fold]
    (told,) = (n for n in check_model(MESH, given).notices if n.reason == "SECTION_FORCES_LEFT_OUT")
    assert told.params["steps"] == "ring, fold"
    for fewer in (given | {"steps": [static]}, given | {"outputs": {}}):
        assert "SECTION_FORCES_LEFT_OUT" not in [n.reason for n in check_model(MESH, fewer).notices]
