"""Capacitors and charges, beside closed forms.

Source: Jackson, "Classical Electrodynamics", 1999. Capacitor with two layers, C/A = 1/(a/ε₁ + b/ε₂); cylindrical
capacitor, C/L = 2 π ε/ln(b/a); potential in a layer of charge between earthed plates, ρ x (d - x)/(2 ε).
"""

import numpy as np
import pytest

from mapped import at, mapped, rotation
from meshgen import box, plate
from solving import Discrete, check_model, kinematics, solve, value

EPSILON = 8.854e-12


def given(conditions, loads=(), permittivity=EPSILON, **more):
    step = {"electrostatics": {}, "conditions": list(conditions), "loads": list(loads)}
    materials = {"m": {"permittivity": value(permittivity)}}
    return {"materials": materials, "sections": [{"material": "m"}], "steps": [step]} | more


def potential(region, volts):
    volts = volts if isinstance(volts, dict) else value(volts)
    return {"region": region, "electricPotential": volts}


PLATES = (potential("x0", 100.0), potential("x1", 0.0))


@pytest.mark.parametrize("cell", ["tet4", "tet10", "hex8", "hex20", "wedge15", "pyramid13"])
def test_linear_potential(cell):
    """A linear potential is exact on any mesh: patch test."""
    mesh = box(cell, (2, 2, 2), distort=0.2)
    linear = {"expression": "1 + 2*x - 3*y + 0.5*z"}
    boundary = [potential(f"{a}{k}", linear) for a in "xyz" for k in (0, 1)]
    ended = solve(mesh, given(boundary))
    exact = 1 + mesh.points @ [2.0, -3.0, 0.5]
    np.testing.assert_allclose(ended.field("electric_potential")[:, 0], exact, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(ended.field("electric_field"), np.tile([-2.0, 3.0, -0.5], (len(exact), 1)), rtol=1e-9)


@pytest.mark.parametrize(("cell", "rate"), [("tri3", 2), ("quad8", 3)])
def test_rate(cell, rate):
    """φ = sin(x + 2 y), ρ = 5 ε sin(x + 2 y)."""

    def exact(p):
        return np.sin(p[:, :1] + 2 * p[:, 1:2])

    def slope(p):
        return np.cos(p[:, :1] + 2 * p[:, 1:2])[:, :, None] * np.array([1.0, 2.0])

    errors = []
    for n in (4, 8, 16) if cell == "tri3" else (2, 4, 8):
        mesh = plate(cell, (n, n), distort=0.2)
        charge = {"region": "", "chargeDensity": {"expression": "10*sin(x + 2*y)"}}
        boundary = [potential(r, {"expression": "sin(x + 2*y)"}) for r in ("x0", "x1", "y0", "y1")]
        analysis = given(boundary, [charge], permittivity=2.0)
        found = solve(mesh, analysis).field("electric_potential")
        discrete = Discrete(mesh, analysis)
        errors.append(discrete.errors(found[discrete.model.part.nodes], exact, slope)[0])
    assert np.log2(errors[-2] / errors[-1]) == pytest.approx(rate, abs=0.15)


def test_capacitor_with_two_layers():
    """Also turned, and on two ranks: the same charge."""
    mesh = box("hex8", (4, 2, 2), (0.004, 0.1, 0.1))
    regions = {
        "left": {"kind": "KIND_CELLS", "box": box_of(-1.0, 0.002)},
        "right": {"kind": "KIND_CELLS", "box": box_of(0.002, 1.0)},
    }
    analysis = given(PLATES, regions=regions)
    analysis["materials"]["glass"] = {"permittivity": value(5 * EPSILON)}
    analysis["sections"] = [{"region": "left", "material": "m"}, {"region": "right", "material": "glass"}]
    charge = 100 * 0.1**2 / (0.002 / EPSILON + 0.002 / (5 * EPSILON))
    for ended in (solve(mesh, analysis), solve(mesh, analysis, ranks=2)):
        assert ended.step.reactions[0].sum[0] == pytest.approx(charge, rel=1e-9)
        assert ended.step.reactions[1].sum[0] == pytest.approx(-charge, rel=1e-9)
        # Energy in the field: Q U / 2.
        assert ended.step.balance.internal_energy == pytest.approx(charge * 100 / 2, rel=1e-9)
    # The normal displacement is continuous, the field is not.
    outputs = {"fields": [{"name": "electric_displacement"}, {"name": "electric_field_magnitude"}]}
    ended = solve(mesh, analysis | {"outputs": outputs})
    np.testing.assert_allclose(ended.field("electric_displacement")[:, 0], charge / 0.01, rtol=1e-9)
    assert ended.field("electric_field_magnitude").max() == pytest.approx(charge / 0.01 / EPSILON, rel=1e-9)


def box_of(low, high):
    return {"min": {"coordinates": [low, -1, -1]}, "max": {"coordinates": [high, 1, 1]}, "tolerance": 1e-6}


def test_cylindrical_capacitor():
    """About its axis, and as a quarter of the ring in the plane."""
    a, b = 0.01, 0.03
    per_length = 2 * np.pi * EPSILON / np.log(b / a) * 100
    ring = mapped(plate("quad8", (8, 1)), lambda p: np.stack([a + (b - a) * p[:, 0], p[:, 1]], axis=1))
    ended = solve(ring, given(PLATES, sections=kinematics("axisymmetric")))
    assert ended.step.reactions[0].sum[0] == pytest.approx(per_length, rel=1e-4)
    assert ended.field("electric_field").max() == pytest.approx(100 / np.log(b / a) / a, rel=0.03)

    def quarter(p):
        r, angle = a * (b / a) ** p[:, 0], p[:, 1] * np.pi / 2
        return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)

    ended = solve(mapped(plate("quad8", (6, 6)), quarter), given(PLATES))
    assert ended.step.reactions[0].sum[0] == pytest.approx(per_length / 4, rel=1e-4)


def test_charge_between_earthed_plates_and_on_a_plate():
    d, rho = 0.01, 1e-6
    mesh = box("hex20", (4, 1, 1), (d, 0.01, 0.01))
    charge = {"region": "", "chargeDensity": value(rho)}
    earthed = (potential("x0", 0.0), potential("x1", 0.0))
    turn = rotation((1.0, 2.0, 3.0), 0.7)
    for other in (mesh, mapped(mesh, lambda p: p @ turn.T)):
        ended = solve(other, given(earthed, [charge]))
        assert ended.field("electric_potential").max() == pytest.approx(rho * d * d / (8 * EPSILON), rel=1e-9)
        assert ended.step.balance.load_sum[0] == pytest.approx(rho * d * 1e-4, rel=1e-9)
    on_plate = {"region": "x1", "surfaceCharge": value(1e-7)}
    ended = solve(mesh, given(earthed[:1], [on_plate]))
    assert ended.field("electric_potential")[at(mesh.points, (d, 0.0, 0.0)), 0] == pytest.approx(
        1e-7 * d / EPSILON, rel=1e-9
    )


@pytest.mark.parametrize(
    ("change", "reason", "place"),
    [
        (lambda g: g["materials"]["m"].clear(), "MATERIAL_CONSTANT_MISSING", 'materials["m"].permittivity'),
        (
            lambda g: g["materials"]["m"].update(permittivity=value(-1.0)),
            "PERMITTIVITY_NOT_POSITIVE",
            'materials["m"].permittivity',
        ),
        (lambda g: g["steps"][0].update(conditions=[]), "POTENTIAL_UNDETERMINED", "steps[0].conditions"),
        (
            lambda g: g["steps"][0].update(loads=[{"region": "x0", "heatFlux": value(1.0)}]),
            "KIND_NOT_FOR_PROCEDURE",
            "steps[0].loads[0].heat_flux",
        ),
    ],
)
def test_what_is_wrong_is_told(change, reason, place):
    analysis = given(PLATES)
    change(analysis)
    found = check_model(box("hex8", (1, 1, 1)), analysis).violations
    assert (reason, place) in [(v.reason, v.field) for v in found]
