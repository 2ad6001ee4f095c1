"""Seepage beside closed forms.

Source: Bear, "Dynamics of Fluids in Porous Media", 1972. Thiem's formula for a well in a confined layer of thickness D,
Q = 2 π k D (h₂ - h₁)/ln(r₂/r₁); layers in series and in parallel; flow under a flat dam on deep ground, whose velocity
potential and stream function are the parts of arcosh of a complex number, so that water flows along confocal ellipses.
"""

import numpy as np
import pytest

from mapped import at, mapped
from meshgen import box, plate
from solving import Discrete, check_model, kinematics, solve, value

K = 1e-5


def given(conditions, loads=(), permeability=K, **more):
    step = {"seepage": {}, "conditions": list(conditions), "loads": list(loads)}
    materials = {"m": {"permeability": value(permeability)}}
    return {"materials": materials, "sections": [{"material": "m"}], "steps": [step]} | more


def head(region, level):
    level = level if isinstance(level, dict) else value(level)
    return {"region": region, "head": level}


@pytest.mark.parametrize("cell", ["tri3", "tri6", "quad4", "quad8", "quad9"])
def test_linear_head(cell):
    mesh = plate(cell, (3, 3), distort=0.2)
    boundary = [head(r, {"expression": "5 + 2*x - y"}) for r in ("x0", "x1", "y0", "y1")]
    outputs = {"fields": [{"name": n} for n in ("head", "discharge_velocity", "hydraulic_gradient")]}
    ended = solve(mesh, given(boundary, outputs=outputs))
    n = len(mesh.points)
    np.testing.assert_allclose(ended.field("head")[:, 0], 5 + mesh.points @ [2.0, -1.0], rtol=1e-10)
    np.testing.assert_allclose(ended.field("hydraulic_gradient"), np.tile([2.0, -1.0], (n, 1)), rtol=1e-9)
    np.testing.assert_allclose(ended.field("discharge_velocity"), np.tile([-2 * K, K], (n, 1)), rtol=1e-9)


@pytest.mark.parametrize(("cell", "rate"), [("tet4", 2), ("hex20", 3)])
def test_rate(cell, rate):
    """h = sin(x + 2 y) e^z, harmonic but for a source of 4 k h."""

    def exact(p):
        return np.sin(p[:, :1] + 2 * p[:, 1:2]) * np.exp(p[:, 2:])

    def slope(p):
        s, c, e = np.sin(p[:, 0] + 2 * p[:, 1]), np.cos(p[:, 0] + 2 * p[:, 1]), np.exp(p[:, 2])
        return np.stack([c * e, 2 * c * e, s * e], axis=1)[:, None]

    text = "sin(x + 2*y)*exp(z)"
    errors = []
    for n in (3, 6) if cell == "tet4" else (2, 4):
        mesh = box(cell, (n, n, n), distort=0.1)
        water = {"region": "", "waterSource": {"expression": f"4*{text}"}}
        boundary = [head(f"{a}{k}", {"expression": text}) for a in "xyz" for k in (0, 1)]
        analysis = given(boundary, [water], permeability=1.0)
        found = solve(mesh, analysis).field("head")
        discrete = Discrete(mesh, analysis)
        errors.append(discrete.errors(found[discrete.model.part.nodes], exact, slope)[0])
    assert np.log2(errors[-2] / errors[-1]) == pytest.approx(rate, abs=0.25)


def test_well_in_a_confined_layer():
    """Thiem: half a section through the layer, 10 m thick, from the well of 0.2 m to 100 m away."""
    r1, r2, D = 0.2, 100.0, 10.0
    mesh = mapped(plate("quad8", (20, 2)), lambda p: np.stack([r1 * (r2 / r1) ** p[:, 0], D * p[:, 1]], axis=1))
    analysis = given((head("x0", 15.0), head("x1", 20.0)), sections=kinematics("axisymmetric"))
    flow = 2 * np.pi * K * D * 5.0 / np.log(r2 / r1)
    for ended in (solve(mesh, analysis), solve(mesh, analysis, ranks=2)):
        assert ended.step.reactions[1].sum[0] == pytest.approx(flow, rel=1e-4)
        middle = at(mesh.points, ((r1 * r2) ** 0.5, 0.0))
        assert ended.field("head")[middle, 0] == pytest.approx(17.5, rel=1e-5)
    # The same flow, pumped: prescribed at the face of the well.
    pumped = {"region": "x0", "inflow": value(-flow / (2 * np.pi * r1 * D))}
    ended = solve(mesh, given((head("x1", 20.0),), [pumped], sections=kinematics("axisymmetric")))
    assert ended.field("head").min() == pytest.approx(15.0, rel=1e-4)
    assert ended.step.balance.load_sum[0] == pytest.approx(-flow, rel=1e-6)


def test_layers_in_series_and_in_parallel():
    mesh = box("hex8", (2, 4, 1), (3.0, 2.0, 1.0))
    regions = {
        "low": {"kind": "KIND_CELLS", "box": {"min": corner(-1.0), "max": corner(1.0, 9.0)}},
        "high": {"kind": "KIND_CELLS", "box": {"min": corner(1.0, -1.0), "max": corner(3.0, 9.0)}},
    }
    layers = {
        "materials": {"a": {"permeability": value(1e-4)}, "b": {"permeability": value(1e-6)}},
        "sections": [{"region": "low", "material": "a"}, {"region": "high", "material": "b"}],
        "regions": regions,
    }
    across = solve(mesh, given((head("y0", 5.0), head("y1", 1.0))) | layers)
    assert across.step.reactions[0].sum[0] == pytest.approx(3 * 4 / (1 / 1e-4 + 1 / 1e-6), rel=1e-9)
    along = solve(mesh, given((head("x0", 5.0), head("x1", 1.0))) | layers)
    assert along.step.reactions[0].sum[0] == pytest.approx(4 / 3 * (1e-4 + 1e-6), rel=1e-9)


def corner(y, other=-9.0):
    return {"coordinates": [other, y, other]}


def test_under_a_flat_dam():
    """A dam of width 2 b on deep ground, water of height H on its left: h = H arccos(x/b)/π under its base.

    The mesh is a half disc in the elliptic coordinates of the flow, x + i y = b cosh(u + i v): the equipotentials are
    the hyperbolas v = const, and those of the model are its ground on both sides.
    """
    b, H = 10.0, 6.0

    def elliptic(p):
        u, v = 2.0 * p[:, 0], np.pi * p[:, 1]
        return np.stack([b * np.cosh(u) * np.cos(v), b * np.sinh(u) * np.sin(v)], axis=1)

    mesh = mapped(plate("quad8", (8, 12)), elliptic)
    # v = 0 is the ground on the right, v = π that on the left; u = 0 the base of the dam, u = 2 far away.
    ended = solve(mesh, given((head("y1", H), head("y0", 0.0))))
    base = np.flatnonzero(np.abs(mesh.points[:, 1]) < 1e-9)
    under = base[np.abs(mesh.points[base, 0]) < b - 1e-6]
    exact = H * np.arccos(mesh.points[under, 0] / b) / np.pi
    np.testing.assert_allclose(ended.field("head")[under, 0], exact, atol=2e-3 * H)
    # Flow per metre within the ellipse: k H u/π.
    assert ended.step.reactions[0].sum[0] == pytest.approx(K * H * 2.0 / np.pi, rel=2e-3)


@pytest.mark.parametrize(
    ("change", "reason", "place"),
    [
        (lambda g: g["materials"]["m"].clear(), "MATERIAL_CONSTANT_MISSING", 'materials["m"].permeability'),
        (
            lambda g: g["materials"]["m"].update(permeability=value(0.0)),
            "PERMEABILITY_NOT_POSITIVE",
            'materials["m"].permeability',
        ),
        (lambda g: g["steps"][0].update(conditions=[]), "HEAD_UNDETERMINED", "steps[0].conditions"),
    ],
)
def test_what_is_wrong_is_told(change, reason, place):
    analysis = given((head("x0", 1.0),))
    change(analysis)
    found = check_model(box("hex8", (1, 1, 1)), analysis).violations
    assert (reason, place) in [(v.reason, v.field) for v in found]
