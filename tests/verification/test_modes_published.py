"""Natural frequencies that others published (NAFEMS and further ones)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mapped import mapped
from meshgen import box, plate
from solving import elastic, kinematics, solve, value, vector
from verification import published

pytestmark = pytest.mark.published

SOURCE = "NAFEMS, The Standard NAFEMS Benchmarks, TNSB rev. 3, 1990"
E, NU, RHO = 2e11, 0.3, 8000.0


def modal(conditions: list[Any], E: float = E, nu: float = NU, rho: float = RHO, **modes: Any) -> dict[str, Any]:
    given = elastic(E=E, nu=nu, material={"density": value(rho)})
    return given | {"steps": [{"modes": modes, "conditions": conditions}]}


def frequencies(mesh: Any, given: dict[str, Any], rigid: int = 0) -> np.ndarray:
    step = solve(mesh, given).step
    assert (step.modes.missed, step.modes.rigid) == (0, rigid)
    return np.array([f.value for f in step.frames])[rigid:]


def compare(case: str, model: str, targets: list[float], ours: np.ndarray, tolerance: float) -> None:
    for k, (target, found) in enumerate(zip(targets, ours, strict=False)):
        quantity = f"frequency {k + 1}, {model}"
        published.check(
            case=case, quantity=quantity, source=SOURCE, target=target, ours=found, tolerance=tolerance, unit="Hz"
        )


def tapered(cell: str, n: tuple[int, int]) -> np.ndarray:
    """FV32: 10 m long, 5 m wide at the clamped end, 1 m at the other."""
    mesh = mapped(plate(cell, n), lambda p: np.column_stack([10 * p[:, 0], (p[:, 1] - 0.5) * (5 - 4 * p[:, 0])]))
    section = kinematics("plane_stress", thickness=0.05)
    return frequencies(mesh, modal([{"region": "x0", "fixed": {}}], count=6) | {"sections": section})


@pytest.mark.parametrize(("cell", "coarse", "fine"), [("quad8", (8, 4), (16, 8)), ("tri6", (12, 6), (20, 10))])
def test_fv32_tapered_membrane(cell, coarse, fine):
    before, found = tapered(cell, coarse), tapered(cell, fine)
    compare("NAFEMS FV32", cell, [44.623, 130.03, 162.70, 246.05, 379.90, 391.44], found, 0.02)
    converged = [44.618, 130.013, 162.690, 245.993, 379.73, 391.409]
    np.testing.assert_allclose(found, converged, rtol=0.001)
    np.testing.assert_allclose(found, before, rtol=0.006)


def edges(z: float, half: float) -> dict[str, Any]:
    """The four edges of a face of a square plate about the origin, as regions of nodes."""
    tiny, found = 1e-6, {}
    for name, axis, side in (("west", 0, -1), ("east", 0, 1), ("south", 1, -1), ("north", 1, 1)):
        low, high = [-half - tiny, -half - tiny, z - tiny], [half + tiny, half + tiny, z + tiny]
        low[axis], high[axis] = side * half - tiny, side * half + tiny
        found[name] = {"kind": "KIND_NODES", "box": {"min": {"coordinates": low}, "max": {"coordinates": high}}}
    return found


def test_fv52_thick_plate():
    """On the mesh of the target alone: a solid on line supports has no limit under refinement."""
    mesh = box("hex20", (4, 4, 1), (10.0, 10.0, 1.0))
    mesh.points[:] -= (5.0, 5.0, 0.5)
    given = modal([{"region": r, "displacement": vector(z=0.0)} for r in ("west", "east", "south", "north")], count=10)
    found = frequencies(mesh, given | {"regions": edges(-0.5, 5.0)}, rigid=3)
    targets = [44.762, 110.52, 110.52, 169.08, 193.93, 206.64, 206.64]
    compare("NAFEMS FV52", "hex20, 4 x 4 x 1", targets, found, 0.02)
    np.testing.assert_allclose(found[[1, 5]], found[[2, 6]], rtol=1e-7)


def test_fv12_free_thin_plate():
    """10 x 10 x 0.05 m of solids, one through the thickness; in its plane it is free here too."""
    before, found = (
        frequencies(box("hex20", (n, n, 1), (10.0, 10.0, 0.05)), modal([], count=12), rigid=6)[:6] for n in (12, 16)
    )
    compare("NAFEMS FV12", "hex20, one layer", [1.622, 2.360, 2.922, 4.233, 4.233, 7.416], found, 0.02)
    np.testing.assert_allclose(found, before, rtol=0.01)


@pytest.mark.parametrize(("cell", "n"), [("hex20", 6), ("hex27", 4)])
def test_nearly_incompressible_cube(cell, n):
    """A free unit cube, nu = 0.499: the lowest pair, and nothing spurious below it."""
    given = modal([], E=1.0, nu=0.499, rho=1.0, count=9)
    found = frequencies(box(cell, (n, n, n)), given, rigid=6)
    for k in (0, 1):
        published.check(
            case="Nearly incompressible free cube",
            quantity=f"frequency {k + 1}, {cell}",
            source="Puso, Solberg, IJNME 67, 2006, as told by FinEtools: about 0.26",
            target=0.26,
            ours=found[k],
            tolerance=0.02,
            unit="Hz",
        )
    assert found[2] > 1.3 * found[0]
