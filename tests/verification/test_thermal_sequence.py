"""A heat step and the thermal stress that follows it: a thick cylinder, and a plate that warms up.

Stresses in a long hollow cylinder, radii a and b, ΔT inside and 0 outside, steady conduction:

    T = ΔT ln(b/r) / ln(b/a)
    σ_r = k (-ln(b/r) - a²/(b²-a²) (1 - b²/r²) ln(b/a)),   σ_θ = k (1 - ln(b/r) - a²/(b²-a²) (1 + b²/r²) ln(b/a)),
    k = E α ΔT / (2 (1 - ν) ln(b/a));  σ_z = ν (σ_r + σ_θ) - E α T where its length is kept

(Timoshenko, Goodier, "Theory of Elasticity", 3rd edition 1970, article 151.)
"""

import numpy as np
import pytest

from mapped import mapped
from meshgen import box, plate
from solving import kinematics, solve, value
from thermal_cases import ALPHA, COLD, expansion, heated, warm
from verification import published

INNER, OUTER, RISE, E, NU = 1.0, 2.0, 100.0, 2.1e5, 0.3
SOURCE = "Timoshenko, Goodier, Theory of Elasticity, 3rd ed., 1970, article 151"
DIRECT = {"method": "METHOD_DIRECT"}


def exact(r):
    """Stresses along the radius, around, and along the axis."""
    log, whole = np.log(OUTER / r), np.log(OUTER / INNER)
    k = E * ALPHA * RISE / (2 * (1 - NU) * whole)
    part = INNER**2 / (OUTER**2 - INNER**2) * whole
    radial = k * (-log - part * (1 - OUTER**2 / r**2))
    around = k * (1 - log - part * (1 + OUTER**2 / r**2))
    return radial, around, NU * (radial + around) - E * ALPHA * RISE * log / whole


def ring(cell_type, n):
    return mapped(plate(cell_type, (n, 1)), lambda p: p * [1.0, 0.2] + [INNER, 0.0])


def quarter(cell_type, n):
    def bend(p):
        r, angle = INNER + p[:, :1], p[:, 1:2] * np.pi / 2
        return np.hstack([r * np.cos(angle), r * np.sin(angle), 0.2 * p[:, 2:]])

    return mapped(box(cell_type, (n, n, 1)) if cell_type in ("hex20", "tet10") else plate(cell_type, (n, n)), bend)


def cylinder(temperature, held, sections=None):
    """The cylinder: a heat step, then its stress with a temperature."""
    given = heated(temperature, held, E, NU, solver=DIRECT)
    given["materials"]["m"]["conductivity"] = value(50.0)
    ends = (("x0", COLD + RISE), ("x1", COLD))
    conditions = [{"region": r, "temperature": value(T)} for r, T in ends]
    given["steps"] = [{"name": "heat", "steadyHeat": {}, "conditions": conditions}, *given["steps"]]
    return given | ({"sections": sections} if sections else {})


LAST = {"fromStep": {"step": "heat"}}
RING, SLICE, BLOCK = "axisymmetric", "plane_strain", "solid"


def stresses(kind, mesh, solved):
    """Radius of each node, and its stresses along the radius, around, and along the axis."""
    s = solved.field("stress", step="step-2")
    if kind == RING:
        return mesh.points[:, 0], s[:, 0], s[:, 2], s[:, 1]
    r = np.linalg.norm(mesh.points[:, :2], axis=1)
    c, d = mesh.points[:, 0] / r, mesh.points[:, 1] / r
    radial = c**2 * s[:, 0] + d**2 * s[:, 1] + 2 * c * d * s[:, 3]
    return r, radial, s[:, 0] + s[:, 1] - radial, s[:, 2]


@pytest.mark.published
@pytest.mark.parametrize(
    ("kind", "cell_type", "n", "tolerance"),
    [
        (RING, "quad8", 16, 0.003), (RING, "tri6", 16, 0.003), (RING, "quad4", 80, 0.02),
        (SLICE, "quad9", 12, 0.005), (BLOCK, "hex20", 10, 0.01), (BLOCK, "tet10", 10, 0.02),
    ],
)  # fmt: skip
def test_thick_cylinder(kind, cell_type, n, tolerance):
    mesh = ring(cell_type, n) if kind == RING else quarter(cell_type, n)
    held = {RING: ("y0", "y1"), SLICE: ("y0", "y1"), BLOCK: ("y0", "y1", "z0", "z1")}[kind]
    sections = kinematics(kind) if kind != BLOCK else None
    solved = solve(mesh, cylinder(LAST, held, sections))
    r, *found = stresses(kind, mesh, solved)
    size = np.abs(exact(np.array([INNER]))[1]).max()
    for ours, theirs in zip(found, exact(r), strict=True):
        assert np.abs(ours - theirs).max() < 2 * tolerance * size
    for place, radius in (("inside", INNER), ("outside", OUTER)):
        published.check(
            case="Thick cylinder, steady conduction",
            quantity=f"hoop stress {place}, {kind.replace('_', ' ')}, {cell_type}",
            source=SOURCE,
            target=float(exact(np.array([radius]))[1][0]),
            ours=float(found[1][np.isclose(r, radius)].mean()),
            tolerance=tolerance,
            unit="MPa",
        )
    balance = solved.result.steps[1].balance
    assert balance.energy_error < 1e-9
    assert balance.equilibrium_error < 1e-9


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_the_temperature_of_a_step_is_that_of_an_expression(ranks):
    """Linear through a wall: what the heat step finds is what the expression says, to the last digits."""
    mesh = box("hex20", (3, 2, 2), (1.0, 1.0, 1.0), distort=0.2)
    held = ("x0", "y0", "z0")
    by_step = solve(mesh, cylinder(LAST, held), ranks)
    by_expression = solve(mesh, cylinder("120 - 100*x", held), ranks)
    for name in ("displacement", "stress"):
        a, b = (s.field(name, step="step-2") for s in (by_step, by_expression))
        assert np.abs(a - b).max() <= 1e-8 * np.abs(b).max()


@pytest.mark.parametrize("over_temperature", [False, True])
def test_all_frames_of_a_transient(over_temperature):
    """A plate that warms up from one face: every time has its stress, that of the temperature of this time.

    With stiffness over temperature each has a matrix of its own; the last answer is that of a step with the last frame.
    """
    mesh = box("hex20", (4, 1, 1))
    material = {"conductivity": value(1.0), "density": value(1.0), "specificHeat": value(1.0)}
    if over_temperature:
        modulus = {"overTemperature": {"at": [0.0, 200.0], "value": [2.1e5, 1.0e5]}}
        material["elastic"] = {"youngModulus": modulus, "poissonRatio": value(NU)}
    held = ("x0", "x1", "y0", "z0")
    given = heated({"fromStep": {"step": "heat"}, "allFrames": True}, held, material=material, solver=DIRECT)
    # More pressure as time goes on, and one end is pulled.
    rising = {"region": "y1", "pressure": {"expression": "100*t"}}
    given["steps"][0]["loads"].append(rising)
    conditions = [{"region": "x0", "temperature": value(COLD + RISE)}]
    heat = {"name": "heat", "transientHeat": {"duration": value(0.5), "outputInterval": value(0.1)}}
    heat |= {"conditions": conditions, "initial": {"temperature": value(COLD)}}
    last = heated(LAST, held)["steps"][0]
    last["loads"].append({"region": "y1", "pressure": value(50.0)})
    given["steps"] = [heat, given["steps"][0] | {"name": "stress"}, last | {"name": "last"}]
    given["outputs"] = {"fields": [{"name": n} for n in ("temperature", "stress", "thermal_strain")]}
    solved = solve(mesh, given)
    frames = solved.result.steps[1].frames
    assert [f.value for f in frames] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert [f.name for f in frames] == [f.name for f in solved.result.steps[0].frames]
    assert sum(f.solve.setups for f in frames) == (5 if over_temperature else 1)
    for k, frame in enumerate(frames):
        strain = solved.field("thermal_strain", step="stress", frame=k)[:, 0]
        mean = solved.field("temperature", step="heat", frame=k)[:, 0].mean() - COLD
        assert strain.mean() == pytest.approx(ALPHA * mean, rel=0.02)
        assert frame.balance.energy_error < 1e-9
        assert frame.balance.equilibrium_error < 1e-9
        # The face y1 carries the pressure of this time.
        sums = solved.field("stress", step="stress", frame=k)[mesh.points[:, 1] == 1.0, 1]
        assert sums.mean() == pytest.approx(-100 * frame.value, abs=12.0)
    a, b = solved.field("stress", step="stress", frame=4), solved.field("stress", step="last")
    assert np.abs(a - b).max() <= 1e-8 * np.abs(b).max()


def test_a_temperature_over_time():
    """A static step is evaluated at its time 1."""
    table = {"value": {"overTime": {"at": [0.0, 2.0], "value": [20.0, 220.0]}}}
    solved = solve(box("hex8", (1, 1, 1)), heated(table, ("x0", "x1", "y0", "z0"), E, NU))
    np.testing.assert_allclose(solved.field("stress")[:, 0], -E * ALPHA * 100.0, rtol=1e-9)


@pytest.mark.published
@pytest.mark.parametrize(("cell_type", "n"), [("quad8", (40, 4)), ("hex20", (24, 4, 1)), ("tet10", (24, 4, 1))])
def test_bimetal_strip(cell_type, n):
    """Two strips joined, of other thickness, stiffness and expansion, warmed: its curvature.

    κ = 6 (α2 - α1) ΔT (1 + m)² / (h (3 (1 + m)² + (1 + m n)(m² + 1/(m n)))), m = h1 / h2, n = E1 / E2.
    (Timoshenko, "Analysis of bi-metal thermostats", J. Opt. Soc. Am. 11, 1925.) A thin plate with ν = 0, as a beam has
    no contraction across; from the middle, away from the free end, where the stresses fade.
    """
    L, h1, h2, E1, E2, alpha1, alpha2 = 20.0, 0.25, 0.75, 2.1e5, 0.7e5, 1.2e-5, 2.3e-5
    h, m, ratio = h1 + h2, h1 / h2, E1 / E2
    curvature = 6 * (alpha2 - alpha1) * RISE * (1 + m) ** 2
    curvature /= h * (3 * (1 + m) ** 2 + (1 + m * ratio) * (m**2 + 1 / (m * ratio)))
    plane = cell_type == "quad8"
    size = (L, h) if plane else (L, h, 0.5)
    mesh = plate(cell_type, n, size) if plane else box(cell_type, n, size)
    given = heated(COLD + RISE, ("x0",) if plane else ("x0", "z0"), solver=DIRECT)
    corner = {"kind": "KIND_NODES", "sphere": {"center": {"coordinates": [0.0] * len(size)}, "radius": 1e-6}}
    given["regions"] = {"corner": corner}
    for name, (bottom, top) in {"one": (0.0, h1), "two": (h1, h)}.items():
        low, high = ([0.0, bottom, 0.0][: len(size)], [L, top, 1.0][: len(size)])
        within = {"min": {"coordinates": low}, "max": {"coordinates": high}}
        given["regions"][name] = {"kind": "KIND_CELLS", "box": within}
    given["steps"][0]["conditions"].append({"region": "corner", "displacement": {"y": value(0.0)}})
    given["materials"] = {
        name: {"elastic": {"youngModulus": value(modulus), "poissonRatio": value(0.0)}} | expansion(alpha)
        for name, modulus, alpha in (("first", E1, alpha1), ("second", E2, alpha2))
    }
    kind = {"kinematics": "KINEMATICS_PLANE_STRESS"} if plane else {}
    given["sections"] = [{"region": r, "material": m} | kind for r, m in (("one", "first"), ("two", "second"))]
    u = solve(mesh, given).field("displacement")
    x, y = mesh.points[:, 0], mesh.points[:, 1]
    line = (y == h1) & (x <= 0.75 * L) if plane else (y == h1) & (x <= 0.75 * L) & (mesh.points[:, 2] == 0)
    found = -2 * np.polyfit(x[line] ** 2, u[line, 1], 1)[0]
    published.check(
        case="Bimetal strip",
        quantity=f"curvature, {cell_type}",
        source="Timoshenko, Analysis of bi-metal thermostats, J. Opt. Soc. Am. 11, 1925",
        target=curvature,
        ours=found,
        tolerance=0.01,
        unit="1/mm",
    )


def test_hot_spot_of_two_loads():
    """Loads that follow all frames, and one that does not, on parts of a body."""
    mesh = box("hex8", (2, 1, 1), (2.0, 1.0, 1.0))
    cells = {"kind": "KIND_CELLS", "box": {"min": {"coordinates": [1, 0, 0]}, "max": {"coordinates": [2, 1, 1]}}}
    given = heated({"fromStep": {"step": "heat"}, "allFrames": True}, ("x0", "y0", "z0"), solver=DIRECT)
    given["materials"]["m"]["conductivity"] = value(50.0)
    given["regions"] = {"right": cells}
    given["steps"][0]["loads"].append(warm(COLD, "right"))
    held = {"region": "x0", "temperature": value(70.0)}
    heat = {"name": "heat", "steadyHeat": {}, "conditions": [held]}
    given["steps"] = [heat, given["steps"][0]]
    solved = solve(mesh, given)
    (frame,) = solved.result.steps[1].frames
    assert frame.name == "increment-1"
    tip = solved.field("displacement", step="step-2")[mesh.points[:, 0] == 2.0, 0].mean()
    assert tip == pytest.approx(ALPHA * 50.0, rel=0.05)
