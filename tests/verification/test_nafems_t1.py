"""NAFEMS T1: a membrane with a hot spot.

Target: stress yy = 50.0 MPa at D = (1 mm, 0), just outside the hot spot.
Source: NAFEMS, "The Standard NAFEMS Benchmarks", TNSB rev. 3, October 1990, test T1.
Tolerance: 2 % of the target, on meshes whose refinement changes the value by less than a quarter of that.

A quarter, 10 mm x 10 mm, of a thin plate, E = 100 GPa, nu = 0.3; within 1 mm of its centre it expands by 1e-3, else
not at all. The stress yy jumps from -50 to 50 MPa at D: it is taken from the cell outside the spot, as the average at
nodes within one material is.
"""

import numpy as np
import pytest

from dougong.meshes.mesh import Mesh, Region, RegionKind
from dougong.solver.elements import extrapolation
from mapped import at, mapped
from meshgen import plate
from solving import kinematics, solve
from thermal_cases import expansion, heated, warm
from verification import published

pytestmark = pytest.mark.published

TARGET, TOLERANCE = 50.0, 0.02


def spot(p):
    """The unit square: within the half square around the corner the spot, outside it the rest of the plate."""
    s = p.max(axis=1, keepdims=True)
    square = p / np.where(s > 0, s, 1.0)
    circle = square / np.linalg.norm(square, axis=1, keepdims=True).clip(1e-300)
    t = (2 * s).clip(0, 1)
    inside = t * ((1 - t) * 0.7 * square + t * circle)
    u = ((s - 0.5) * 2).clip(0, 1)
    u = u * (0.1 + 0.9 * u)  # fine cells next to the spot
    return np.where(s <= 0.5, inside, (1 - u) * circle + 10.0 * u * square)


def membrane(cell_type, n):
    flat = plate(cell_type, (n, n))
    nodes = flat.blocks[0].nodes
    hot = np.flatnonzero(flat.points[nodes].max(axis=(1, 2)) <= 0.5 + 1e-9)
    bent = mapped(flat, spot)
    return Mesh(bent.points, bent.blocks, (*bent.regions, Region("hot", RegionKind.CELLS, hot)))


def stress_at_d(cell_type, n):
    mesh = membrane(cell_type, n)
    material = expansion(1e-5, 0.0) | {"elastic": {"youngModulus": {"value": 1e5}, "poissonRatio": {"value": 0.3}}}
    given = heated(0.0, ("x0", "y0"), material=material, sections=kinematics("plane_stress"))
    given["steps"][0]["loads"].append(warm(100.0, "hot"))
    given["outputs"] = {"fields": [{"name": "stress", "location": "LOCATION_INTEGRATION_POINT"}]}
    solved = solve(mesh, given)
    assert solved.step.balance.energy_error < 1e-8
    E, nodes = extrapolation(cell_type), mesh.blocks[0].nodes
    cold = np.setdiff1d(np.arange(len(nodes)), mesh.regions[-1].entries)
    cells, places = np.nonzero(nodes[cold] == at(mesh.points, (1.0, 0.0)))
    points = solved.field("stress", "point").reshape(len(nodes), E.shape[1], 6)[cold[cells], :, 1]
    return float(np.einsum("nq,nq->n", E[places], points).mean())


@pytest.mark.parametrize(("cell_type", "coarse", "fine"), [("quad8", 40, 48), ("quad9", 40, 48), ("tri6", 48, 64)])
def test_stress_at_d(cell_type, coarse, fine):
    before, found = stress_at_d(cell_type, coarse), stress_at_d(cell_type, fine)
    published.check(
        case="NAFEMS T1",
        quantity=f"stress yy at D, plane stress, {cell_type}",
        source="NAFEMS, The Standard NAFEMS Benchmarks, TNSB rev. 3, 1990",
        target=TARGET,
        ours=found,
        tolerance=TOLERANCE,
        unit="MPa",
    )
    assert abs(found - before) < TOLERANCE / 4 * TARGET
