"""Straight cantilever of six cells, rectangular or slanted, sheared at its end in the plane and out of it.

Target: deflection 0.1081 in the plane, 0.4321 out of it: P L^3 / (3 E I) + 6/5 P L / (G A).
Source: MacNeal, Harder, "A proposed standard set of problems to test finite element accuracy", Finite Elem. Anal.
Des. 1, 1985; its theory is Timoshenko's beam.
Tolerance: 5 %: one layer of six cells is the mesh of the problem. Cells that are not fit for a shape are held to be so,
for the guide to elements says it.

Length 6, depth 0.2, width 0.1, E = 1e7, nu = 0.3, force 1. Trapezoids and parallelograms lean by 45 degrees.
"""

import numpy as np
import pytest

from mapped import mapped
from meshgen import box
from schemes import section
from solving import elastic, solve, vector
from verification import published

pytestmark = pytest.mark.published

TARGETS = {"y": 0.1081, "z": 0.4321}
LEANS = {
    "rectangular": [0, 0, 0, 0, 0, 0, 0],
    "trapezoidal": [0, 1, -1, 1, -1, 1, 0],
    "parallelogram": [0, 1, 1, 1, 1, 1, 0],
}
BENDING, REDUCED = {"formulation": "incompatible_modes"}, {"integration": "reduced"}


def deflection(cell_type, scheme, shape, axis):
    def into(p):
        lean = np.interp(6 * p[:, 0], np.arange(7), LEANS[shape])
        return np.column_stack([6 * p[:, 0] + 0.1 * (2 * p[:, 1] - 1) * lean, 0.2 * p[:, 1], 0.1 * p[:, 2]])

    mesh = mapped(box(cell_type, (6, 1, 1)), into)
    held, force = {"region": "x0", "fixed": {}}, {"region": "x1", "totalForce": vector(**{axis: 1.0})}
    solution = solve(mesh, elastic(1e7, 0.3, sections=[section(**scheme)], conditions=[held], loads=[force]))
    assert solution.step.balance.energy_error < 1e-7
    end = mesh.points[:, 0] > 6 - 1e-9
    return float(solution.field("displacement")[end, "xyz".index(axis)].mean())


@pytest.mark.parametrize("axis", TARGETS)
@pytest.mark.parametrize(
    ("cell_type", "scheme", "shape"),
    [("hex8", BENDING, "rectangular"), *(("hex20", REDUCED, s) for s in LEANS), *(("hex27", {}, s) for s in LEANS)],
)
def test_deflection(cell_type, scheme, shape, axis):
    published.check(
        case="MacNeal-Harder straight cantilever",
        quantity=f"deflection along {axis}, {shape} {cell_type} {' '.join(scheme.values())}".strip(),
        source="MacNeal, Harder, Finite Elem. Anal. Des. 1, 1985 (Timoshenko's beam)",
        target=TARGETS[axis],
        ours=deflection(cell_type, scheme, shape, axis),
        tolerance=0.05,
    )


def test_what_cells_are_not_fit_for():
    assert deflection("hex8", {}, "rectangular", "z") < 0.1 * TARGETS["z"]
    assert deflection("hex8", {"formulation": "b_bar"}, "rectangular", "z") < 0.1 * TARGETS["z"]
    assert deflection("hex8", BENDING, "trapezoidal", "z") < 0.1 * TARGETS["z"]
    assert deflection("hex8", BENDING, "parallelogram", "z") < 0.6 * TARGETS["z"]


def column(scheme):
    """Lowest buckling load and frequency of a clamped column 1 x 1 x 8 of eight layers, E = density = 1."""
    mesh = box("hex8", (8, 2, 2), (8.0, 1.0, 1.0))
    held = [{"region": "x0", "fixed": {}}]
    pressed = [{"region": "x1", "totalForce": vector(x=-1.0)}]
    given = elastic(1.0, 0.3, sections=[section(**scheme)], material={"density": {"value": 1.0}})
    given["steps"] = [
        {"buckling": {"count": 1}, "conditions": held, "loads": pressed},
        {"modes": {"count": 1}, "conditions": held},
    ]
    return [step.frames[0].value for step in solve(mesh, given).result.steps]


def test_incompatible_modes_in_buckling_and_vibration():
    """Euler's load π²EI/(4L²), and the frequency 1.875²/(2π L²) √(EI/(ρA)) of a slender beam."""
    load, frequency = column(BENDING)
    euler, slender = np.pi**2 / (12 * 4 * 64), 1.8751**2 / (2 * np.pi * 64) / np.sqrt(12)
    assert load == pytest.approx(euler, rel=0.02)
    assert frequency == pytest.approx(slender, rel=0.02)
    assert column({})[0] > 1.3 * euler
