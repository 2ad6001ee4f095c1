"""Natural modes of models with links: masses at nodes, on facets and at reference points, springs, ties, couplings."""

import numpy as np
import pytest

from linked_models import together
from meshgen import box
from solving import check_model, elastic, solve, store, value, vector

E, RHO = 2.0e11, 8000.0


def modes(count=4, **more):
    given = elastic(E=E, nu=0.0, material={"density": value(RHO)}, **more)
    step = given["steps"][0]
    del step["static"]
    step["modes"] = {"count": count}
    return given


def frequencies(solution):
    return np.array([f.value for f in solution.step.frames])


def test_a_beam_with_a_mass_at_its_end():
    """Rayleigh's quotient with the static deflection: 33/140 of the beam's mass moves with the end."""
    L, b, M = 2.0, 0.05, 30.0
    mesh = box("hex20", (12, 1, 1), (L, b, b))
    given = modes(
        2,
        conditions=[{"region": "x0", "fixed": {}}],
        couplings={"tip": {"region": "x1", "kinematic": {}}},
        masses=[{"coupling": "tip", "mass": value(M)}],
    )
    solution = solve(mesh, given)
    m, EI = RHO * L * b * b, E * b**4 / 12
    exact = np.sqrt(3 * EI / (L**3 * (M + 33 / 140 * m))) / (2 * np.pi)
    assert frequencies(solution) == pytest.approx(exact, rel=5e-3)
    assert solution.step.mass.mass == pytest.approx(m + M)
    assert solution.step.mass.centre[0] == pytest.approx((m * L / 2 + M * L) / (m + M))


@pytest.mark.parametrize("ranks", [1, pytest.param(3, marks=pytest.mark.mpi)])
def test_a_stiff_block_on_springs(ranks):
    """One translation and its effective mass: the block with what is fastened to it at nodes, on facets, at a point."""
    mesh = box("hex8", (2, 2, 2), (0.1, 0.1, 0.1))
    k = 1e5
    given = modes(
        1,
        conditions=[{"region": r, "symmetry": {}} for r in ("y0", "y1", "z0", "z1")],
        couplings={"foot": {"region": "x0", "kinematic": {}}},
        springs=[{"at": {"coupling": "foot"}, "stiffness": vector(x=k)}],
        masses=[
            {"coupling": "foot", "mass": value(1.0), "inertia": vector(x=0.5)},
            {"node": 1, "mass": value(2.0)},
            {"region": "x1", "perArea": value(300.0)},
        ],
    )  # fmt: skip
    solution = solve(store(mesh), given, ranks)
    total = RHO * 1e-3 + 1.0 + 2.0 + 300.0 * 0.01
    assert frequencies(solution)[0] == pytest.approx(np.sqrt(k / total) / (2 * np.pi), rel=1e-4)
    mode = solution.step.frames[0].mode
    x = list(solution.step.modes.directions).index("x")
    assert mode.effective_mass[x] == pytest.approx(total, rel=1e-4)
    assert solution.step.modes.totals[x] == pytest.approx(total, rel=1e-12)
    assert mode.error < 1e-8


def test_a_tied_bar_vibrates_as_a_whole_one():
    whole = box("hex20", (8, 1, 1), (1.0, 0.1, 0.1))
    half = (box("hex20", (4, 1, 1), (0.5, 0.1, 0.1)), box("hex20", (4, 2, 2), (0.5, 0.1, 0.1)))
    tied = together(("a_", half[0], (0, 0, 0)), ("b_", half[1], (0.5, 0, 0)))
    one = frequencies(solve(whole, modes(4, conditions=[{"region": "x0", "fixed": {}}])))
    given = modes(4, conditions=[{"region": "a_x0", "fixed": {}}], ties=[{"slave": "b_x0", "master": "a_x1"}])
    assert not check_model(tied, given).violations
    assert frequencies(solve(tied, given)) == pytest.approx(one, rel=3e-3)


def test_masses_are_where_they_are_said_to_be():
    mesh = box("hex8", (1, 1, 1))
    given = modes(1, conditions=[{"region": "x0", "fixed": {}}], masses=[{"node": 99, "mass": value(1.0)}])
    assert [(v.reason, v.field) for v in check_model(mesh, given).violations] == [("NODE_UNKNOWN", "masses[0].node")]
