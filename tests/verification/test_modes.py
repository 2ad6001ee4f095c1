"""Natural modes of bodies whose frequencies are known exactly, or converge to what is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from linked_models import renumbered
from mapped import mapped, rotation
from meshgen import box, plate
from solving import Solution, elastic, kinematics, solve, store, value, vector

E, RHO = 2.1e11, 7800.0


def modal(conditions: list[Any] = (), nu: float = 0.3, **modes: Any) -> dict[str, Any]:
    """An analysis of one material whose only step is one of natural modes."""
    given = elastic(E=E, nu=nu, material={"density": value(RHO)})
    return given | {"steps": [{"name": "free", "modes": modes, "conditions": list(conditions)}]}


def frequencies(ended: Solution, step: int = 0) -> np.ndarray:
    return np.array([f.value for f in ended.result.steps[step].frames])


def checked(ended: Solution, step: int = 0) -> Solution:
    """What every result must have: nothing missed, shapes that solve their equation."""
    told = ended.result.steps[step]
    assert told.modes.missed == 0
    assert max(f.mode.error for f in told.frames) < 1e-7
    values = frequencies(ended, step)
    assert (np.diff(values) >= -1e-9 * values.max()).all()
    return ended


@pytest.mark.parametrize("ranks", [1, 2])
def test_rod(ranks):
    """Axial modes of a rod that is held at one end and moves along itself alone: c (2 k - 1) / 4 L exactly."""
    length = 2.0
    mesh = box("hex20", (24, 1, 1), (length, 0.1, 0.1))
    held = [{"region": "x0", "fixed": {}}]
    held += [{"region": r, "symmetry": {}} for r in ("y0", "y1", "z0", "z1")]
    ended = checked(solve(mesh, modal(held, nu=0.0, count=4), ranks=ranks))
    exact = np.sqrt(E / RHO) * (2 * np.arange(1, 5) - 1) / (4 * length)
    # Quadratic cells converge with the fourth power of the cells to a wave.
    error = np.abs(frequencies(ended) / exact - 1)
    assert (error < 1.1 * error[0] * (2 * np.arange(1, 5) - 1) ** 4).all()
    assert error[0] < 1e-7
    frames = ended.step.frames
    assert [f.name for f in frames] == ["mode-1", "mode-2", "mode-3", "mode-4"]
    assert ended.step.mass.mass == pytest.approx(RHO * length * 0.01, rel=1e-12)
    # The k-th mode carries 8 / ((2 k - 1) π)² of the mass along the rod, and nothing across it.
    share = [f.mode.effective_mass[0] / ended.step.mass.mass for f in frames]
    np.testing.assert_allclose(share, 8 / ((2 * np.arange(1, 5) - 1) * np.pi) ** 2, rtol=2e-4)
    np.testing.assert_allclose(frames[-1].mode.cumulative[0], sum(share), rtol=1e-12)
    assert list(ended.step.modes.directions) == ["x", "y", "z", "rx", "ry", "rz"]


def test_shapes_have_unit_modal_mass():
    """The rod's first shape is sin(π x / 2 L) times the root of two over its mass."""
    length = 2.0
    mesh = box("hex20", (8, 1, 1), (length, 0.1, 0.1))
    held = [{"region": "x0", "fixed": {}}, *({"region": r, "symmetry": {}} for r in ("y0", "y1", "z0", "z1"))]
    ended = solve(mesh, modal(held, nu=0.0, count=1))
    u = ended.field("displacement")
    amplitude = np.sqrt(2 / (RHO * length * 0.01))
    exact = amplitude * np.sin(np.pi * mesh.points[:, 0] / (2 * length))
    np.testing.assert_allclose(np.abs(u[:, 0]), exact, atol=1e-4 * amplitude)
    assert np.abs(u[:, 1:]).max() < 1e-9 * amplitude


def test_slender_cantilever():
    """Bending of Euler and Bernoulli, as far as a slender solid obeys it; both planes alike."""
    length, h = 1.0, 0.02
    mesh = box("hex20", (20, 1, 1), (length, h, h))
    ended = checked(solve(mesh, modal([{"region": "x0", "fixed": {}}], nu=0.0, count=4)))
    roots = np.array([1.875104069, 4.694091133])
    exact = roots**2 / (2 * np.pi * length**2) * np.sqrt(E * h**2 / (12 * RHO))
    np.testing.assert_allclose(frequencies(ended), np.repeat(exact, 2), rtol=4e-3)
    found = frequencies(ended)
    np.testing.assert_allclose(found[0::2], found[1::2], rtol=1e-7)


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_a_free_bar_moves_in_six_ways(ranks):
    length, h = 1.0, 0.05
    ended = checked(solve(box("hex20", (12, 1, 1), (length, h, h)), modal(count=10, nu=0.0), ranks=ranks))
    frames = ended.step.frames
    assert [f.mode.rigid for f in frames] == [True] * 6 + [False] * 4
    assert ended.step.modes.rigid == 6
    assert frequencies(ended)[:6].max() == 0.0
    exact = np.array([4.730040745, 7.853204624]) ** 2 / (2 * np.pi * length**2) * np.sqrt(E * h**2 / (12 * RHO))
    np.testing.assert_allclose(frequencies(ended)[6:], np.repeat(exact, 2), rtol=0.03)
    # All mass moves with the free motions, each of which is one direction; a body of equal sides may mix rotations.
    np.testing.assert_allclose(frames[5].mode.cumulative, 1.0, rtol=1e-9)
    along = np.array([f.mode.effective_mass[:3] for f in frames[:3]]) / ended.step.mass.mass
    np.testing.assert_allclose(along, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(frames[9].mode.effective_mass, 0.0, atol=1e-9)


@pytest.mark.parametrize("ranks", [1, 3])
def test_two_bodies(ranks):
    """Two separate blocks have twelve free motions; of three ranks one may have no node of its own."""
    from dougong.meshes.mesh import CellBlock, Mesh

    one = box("hex8", (1, 1, 1))
    points = np.concatenate([one.points, one.points + np.array([3.0, 0.0, 0.0])])
    cells = np.concatenate([one.blocks[0].nodes, one.blocks[0].nodes + len(one.points)])
    ended = solve(Mesh(points, (CellBlock(one.blocks[0].type, cells),)), modal(count=14), ranks=ranks)
    assert [f.mode.rigid for f in ended.step.frames[:13]] == [True] * 12 + [False]


def test_part_of_the_motions_is_free():
    """A plate on a frictionless floor slides and turns: three motions."""
    ended = solve(box("hex8", (3, 3, 1), (3, 3, 1)), modal([{"region": "z0", "symmetry": {}}], count=5))
    assert ended.step.modes.rigid == 3
    assert ended.step.frames[3].value > 0


def test_sheet_ring_and_slice():
    """Kinematics: a free sheet has three rigid motions, a ring one; radial modes of a thin ring are known."""
    section = kinematics("plane_stress", thickness=0.01)
    sheet = solve(plate("quad8", (4, 2), (2.0, 1.0)), modal(count=4) | {"sections": section})
    assert sheet.step.modes.rigid == 3
    assert list(sheet.step.modes.directions) == ["x", "y", "rz"]
    radius, t = 1.0, 0.01
    mesh = plate("quad8", (1, 2), (t, 0.02))
    mesh.points[:, 0] += radius - t / 2
    ring = solve(mesh, modal(nu=0.0, count=3) | {"sections": kinematics("axisymmetric")})
    assert ring.step.modes.rigid == 1
    assert list(ring.step.modes.directions) == ["y"]
    breathing = np.sqrt(E / RHO) / (2 * np.pi * radius)
    # Its section turns inside out at the root of I_y / I_p times the frequency of breathing (Timoshenko, "Vibration
    # Problems in Engineering", 1955, section 69); the section is twice as high as wide.
    assert ring.step.frames[1].value == pytest.approx(breathing * np.sqrt(0.8), rel=1e-3)
    assert ring.step.frames[2].value == pytest.approx(breathing, rel=1e-3)


def test_ranges_of_frequencies():
    """All of a range, the lowest ones above an end, and what is said of an empty one."""
    mesh = store(box("hex20", (8, 1, 1), (1.0, 0.1, 0.1)))
    held = [{"region": "x0", "fixed": {}}]
    every = frequencies(solve(mesh, modal(held, count=12)))
    low, high = (every[1] + every[2]) / 2, (every[7] + every[8]) / 2
    ended = checked(solve(mesh, modal(held, minFrequency=low, maxFrequency=high)))
    np.testing.assert_allclose(frequencies(ended), every[2:8], rtol=1e-9)
    ended = checked(solve(mesh, modal(held, minFrequency=low, count=3)))
    np.testing.assert_allclose(frequencies(ended)[:3], every[2:5], rtol=1e-9)
    ended = checked(solve(mesh, modal(held, maxFrequency=high)))
    np.testing.assert_allclose(frequencies(ended), every[:8], rtol=1e-9)
    empty = solve(mesh, modal(held, minFrequency=every[1] * 1.01, maxFrequency=every[1] * 1.02))
    assert empty.failure.reason == "NO_MODES_IN_RANGE"
    assert empty.failure.params["below"] == "2"


def test_a_repeated_frequency_comes_out_complete():
    """One mode of a square cantilever is asked for: its twin comes along."""
    ended = checked(solve(box("hex20", (6, 2, 2), (1.0, 0.1, 0.1)), modal([{"region": "x0", "fixed": {}}], count=1)))
    assert len(ended.step.frames) == 2


def test_all_modes_of_a_small_body_have_all_its_mass():
    """Cumulative mass tends to the whole: all but what is at the held nodes."""
    mesh = box("hex8", (3, 1, 1), (3.0, 1.0, 1.0))
    ended = checked(solve(mesh, modal([{"region": "x0", "fixed": {}}], count=500)))
    assert len(ended.step.frames) == 3 * 12
    last = ended.step.frames[-1].mode.cumulative
    # A linear cell gives a third of its mass to its own face: with u = 0 there, (1 - 1/(2·3·...)) of the mass moves.
    assert 0.9 < last[0] < 1.0
    fine = checked(solve(box("hex8", (12, 1, 1), (3.0, 1.0, 1.0)), modal([{"region": "x0", "fixed": {}}], count=500)))
    assert last[0] < fine.step.frames[-1].mode.cumulative[0] < 1.0


def test_units():
    """mm, t, s and m, kg, s: the same frequencies."""
    held = [{"region": "x0", "fixed": {}}]
    metres = solve(box("tet10", (4, 1, 1), (1.0, 0.2, 0.1)), modal(held, count=4))
    given = modal(held, count=4)
    given["materials"]["m"] = {
        "elastic": {"youngModulus": value(E * 1e-6), "poissonRatio": value(0.3)},
        "density": value(RHO * 1e-12),
    }
    millimetres = solve(box("tet10", (4, 1, 1), (1000.0, 200.0, 100.0)), given)
    np.testing.assert_allclose(frequencies(millimetres), frequencies(metres), rtol=1e-9)


def test_rotation_and_numbering():
    mesh = box("tet10", (4, 1, 1), (1.0, 0.2, 0.1))
    straight = frequencies(checked(solve(mesh, modal(count=9))))
    Q = rotation((1.0, -2.0, 0.5), 1.1)
    other = frequencies(checked(solve(renumbered(mesh)[0], modal(count=9))))
    np.testing.assert_allclose(other, straight, rtol=1e-8, atol=1e-8 * straight.max())
    turned = frequencies(checked(solve(mapped(mesh, lambda p: p @ Q.T + (5.0, 1.0, -2.0)), modal(count=9))))
    np.testing.assert_allclose(turned, straight, rtol=1e-8, atol=1e-8 * straight.max())


def test_stress_of_a_mode_on_request():
    """The forces of inertia are in equilibrium with the stress: the root of the rod carries the whole of them."""
    mesh = box("hex20", (12, 1, 1), (2.0, 0.1, 0.1))
    held = [{"region": "x0", "fixed": {}}, *({"region": r, "symmetry": {}} for r in ("y0", "y1", "z0", "z1"))]
    given = modal(held, nu=0.0, count=1) | {"outputs": {"fields": [{"name": n} for n in ("stress", "reaction")]}}
    ended = solve(mesh, given)
    assert {f.name for f in ended.result.fields} == {"stress", "reaction"}
    amplitude = np.sqrt(2 / (RHO * 2.0 * 0.01))
    root = np.abs(ended.field("stress")[mesh.points[:, 0] == 0, 0]).max()
    assert root == pytest.approx(E * amplitude * np.pi / 4.0, rel=2e-3)
    held_up = np.abs(ended.field("reaction")[:, 0].sum())
    omega = 2 * np.pi * ended.step.frames[0].value
    assert held_up == pytest.approx(omega**2 * abs(ended.step.frames[0].mode.participation[0]), rel=1e-6)


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_stretched_bar_sounds_higher(ranks):
    """Pinned bar under tension N: f² = f₀² (1 + N L² / π² E I), a string where N is large."""
    length, h, stress = 1.0, 0.01, 4e7
    mesh = plate("quad8", (40, 2), (length, h))
    mesh.points[:, 1] -= h / 2
    given = elastic(E=E, nu=0.0, material={"density": value(RHO)})
    pins = {"left": (0.0, 0.0), "right": (length, 0.0)}
    tiny = 1e-6
    given["regions"] = {
        k: {
            "kind": "KIND_NODES",
            "box": {
                "min": {"coordinates": [p[0] - tiny, p[1] - tiny]},
                "max": {"coordinates": [p[0] + tiny, p[1] + tiny]},
            },
        }
        for k, p in pins.items()
    }
    roller = {"region": "right", "displacement": vector(y=0.0)}
    held = [{"region": "left", "fixed": {}}, roller]
    ends = [{"region": r, "traction": vector(x=s * stress)} for r, s in (("x0", -1.0), ("x1", 1.0))]
    given["steps"] = [
        {"name": "pull", "static": {}, "conditions": held, "loads": ends},
        {"name": "slack", "modes": {"count": 2}, "conditions": held},
        {"name": "taut", "modes": {"count": 2}, "conditions": held, "prestress": {"step": "pull"}},
    ]
    given["sections"] = kinematics("plane_stress", thickness=h)
    ended = solve(mesh, given, ranks=ranks)
    slack, taut = frequencies(checked(ended, 1), 1)[0], frequencies(checked(ended, 2), 2)[0]
    inertia = h**4 / 12
    assert slack == pytest.approx(np.pi / 2 / length**2 * np.sqrt(E * inertia / (RHO * h**2)), rel=2e-3)
    raised = np.sqrt(1 + stress * h**2 * length**2 / (np.pi**2 * E * inertia))
    assert raised > 1.5
    assert taut / slack == pytest.approx(raised, rel=1e-3)


def test_a_load_beyond_buckling_is_refused():
    mesh = box("hex20", (10, 1, 1), (1.0, 0.02, 0.02))
    held = [{"region": "x0", "fixed": {}}]
    given = elastic(E=E, nu=0.0, material={"density": value(RHO)})
    critical = np.pi**2 * E * 0.02**2 / 12 / 4
    for factor, reason in ((0.5, None), (1.5, "PRESTRESS_BUCKLES")):
        push = [{"region": "x1", "traction": vector(x=-factor * critical)}]
        given["steps"] = [
            {"name": "push", "static": {}, "conditions": held, "loads": push},
            {"modes": {"count": 1}, "conditions": held, "prestress": {"step": "push"}},
        ]
        ended = solve(mesh, given)
        assert (ended.failure.reason if ended.failure else None) == reason
        if reason is None:
            alone = solve(mesh, modal(held, nu=0.0, count=1)).step.frames[0].value
            assert ended.result.steps[1].frames[0].value == pytest.approx(alone * np.sqrt(1 - factor), rel=0.02)
