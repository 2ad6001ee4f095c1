"""Values that vary with position and time, through the schema alone: rates of convergence, turned models, ranks.

The manufactured solutions are those of test_convergence: what drives them, body force, traction and prescribed values,
is written as expressions here. Orders p + 1 in L2 and p in the energy norm, within 0.1.
"""

import numpy as np
import pytest

from mapped import mapped, rotation
from meshgen import box, plate
from solving import Discrete, elastic, heat, kinematics, solve, value
from verification.test_convergence import (
    AMPLITUDE,
    DIRECTION,
    LAMBDA,
    MU,
    NU,
    PHASE,
    WAVE,
    E,
    K,
    displacement,
    displacement_gradient,
    expect,
    order,
    plane_displacement,
    plane_displacement_gradient,
    temperature,
    temperature_gradient,
)

FACES = ("x0", "x1", "y0", "y1", "z0", "z1")
NUMBERS = {"la": LAMBDA, "mu": MU} | {f"a{i}": AMPLITUDE[i] for i in range(3)} | {f"q{i}": PHASE[i] for i in range(3)}
NUMBERS |= {f"k{i}{j}": DIRECTION[i, j] for i in range(3) for j in range(3)}


def angle(i, dim):
    return "(" + " + ".join(f"k{i}{j}*{'xyz'[j]}" for j in range(dim)) + f" + q{i})"


def moved(i, dim):
    return f"a{i}*sin{angle(i, dim)}"


def slope(i, j, dim):
    return f"a{i}*k{i}{j}*cos{angle(i, dim)}"


def stress(i, j, dim):
    shear = f"mu*({slope(i, j, dim)} + {slope(j, i, dim)})"
    return shear if i != j else f"la*({' + '.join(slope(m, m, dim) for m in range(dim))}) + {shear}"


def force(i, dim):
    """-d_j sigma_ij: each derivative of a sine along j is k_j times a cosine, of that along i -k_i times the sine."""
    squeezed = " + ".join(f"k{m}{m}*k{m}{i}*{moved(m, dim)}" for m in range(dim))
    sheared = " + ".join(f"k{i}{j}^2*{moved(i, dim)} + k{j}{i}*k{j}{j}*{moved(j, dim)}" for j in range(dim))
    return f"la*({squeezed}) + mu*({sheared})"


def components(of, dim):
    return {"xyz"[i]: {"expression": of(i, dim)} for i in range(dim)}


def driven(dim):
    """All faces but x1 are held at the exact solution; on that one is its traction."""
    held = [{"region": f, "displacement": components(moved, dim)} for f in FACES[: 2 * dim] if f != "x1"]
    pulled = {"region": "x1", "traction": components(lambda i, d: stress(i, 0, d), dim)}
    inside = {"bodyForce": components(force, dim)}
    sections = kinematics("plane_strain") if dim == 2 else [{"material": "m"}]
    return elastic(E, NU, conditions=held, loads=[pulled, inside], parameters=NUMBERS, sections=sections)


def rates(made, given, divisions, exact, gradient):
    errors = []
    for n in divisions:
        case = Discrete(made(n), given)
        errors.append(case.errors(case.solve(), exact, gradient))
    sizes = np.log(1 / np.array(divisions, float))
    local = np.diff(np.log(errors), axis=0) / np.diff(sizes)[:, None]
    return np.polyfit(sizes, np.log(errors), 1)[0], local


@pytest.mark.parametrize(
    ("cell_type", "divisions"), [("tri3", (16, 24, 36)), ("quad8", (6, 9, 13)), ("tri6", (6, 9, 13))]
)
def test_elasticity_in_the_plane(cell_type, divisions):
    exact = plane_displacement, plane_displacement_gradient
    expect(rates(lambda n: plate(cell_type, (n, n)), driven(2), divisions, *exact), order(cell_type))


@pytest.mark.parametrize(("cell_type", "divisions"), [("hex8", (5, 7, 10)), ("tet10", (2, 3, 4))])
def test_elasticity_in_space(cell_type, divisions):
    exact = displacement, displacement_gradient
    expect(rates(lambda n: box(cell_type, (n, n, n)), driven(3), divisions, *exact), order(cell_type))


@pytest.mark.parametrize(("cell_type", "divisions"), [("quad4", (16, 24, 36)), ("quad9", (6, 9, 13))])
def test_heat(cell_type, divisions):
    s = [f"sin(w{i}*{'xyz'[i]} + q{i})" for i in range(2)]
    c = [f"w{i}*cos(w{i}*{'xyz'[i]} + q{i})" for i in range(2)]
    T = f"{s[0]}*{s[1]}"
    film = {"coefficient": {"expression": "2 + y"}, "ambient": {"expression": f"{T} + k*{c[0]}*{s[1]}/(2 + y)"}}
    given = heat(
        K,
        conditions=[{"region": "x0", "temperature": {"expression": T}}],
        loads=[
            {"heatSource": {"expression": f"k*(w0^2 + w1^2)*{T}"}},
            {"region": "x1", "convection": film},
            {"region": "y0", "heatFlux": {"expression": f"-k*{s[0]}*{c[1]}"}},
            {"region": "y1", "heatFlux": {"expression": f"k*{s[0]}*{c[1]}"}},
        ],
        parameters={"w0": WAVE[0], "w1": WAVE[1], "q0": PHASE[0], "q1": PHASE[1], "k": K},
        units={"absoluteZero": -273.15},
    )
    exact = temperature, temperature_gradient
    expect(rates(lambda n: plate(cell_type, (n, n)), given, divisions, *exact), order(cell_type))


def bar(turn):
    """A bar in axes turned by a matrix: values depend on the coordinates along the bar, and so do their directions."""
    # X, Y, Z are the coordinates of the bar in those of the mesh.
    X, Y, Z = ("(" + " + ".join(f"r{i}{j}*{'xyz'[j]}" for j in range(3)) + ")" for i in range(3))

    def vector(*local):
        return {"xyz"[j]: {"expression": " + ".join(f"r{i}{j}*({v})" for i, v in enumerate(local))} for j in range(3)}

    return elastic(
        conditions=[{"region": "x0", "fixed": {}}],
        loads=[
            {"region": "z1", "pressure": {"expression": f"p0*max(0, 1 - {X}/l)*t"}},
            {"region": "x1", "traction": vector(f"{Y}^2", "0.5", f"sin({Z})")},
            {"bodyForce": vector("0", f"exp(-{X})", f"if({Y} > 0.4, {X}, 0.2)")},
            {"region": "x1", "nodalForce": vector("0.1", f"{Z}", "0")},
        ],
        parameters={"p0": 2.0, "l": 2.0} | {f"r{i}{j}": turn[j, i] for i in range(3) for j in range(3)},
        outputs={"fields": [{"name": "displacement"}, {"name": "von_mises"}]},
        solver={"method": "METHOD_DIRECT"},
    )


@pytest.mark.parametrize("cell_type", ["hex20", "tet10"])
def test_a_turned_model_has_the_turned_answer(cell_type):
    mesh, turn = box(cell_type, (3, 2, 2), (2.0, 1.0, 1.0)), rotation((1.0, -2.0, 3.0), 0.8)
    straight = solve(mesh, bar(np.eye(3)))
    turned = solve(mapped(mesh, lambda p: p @ turn.T), bar(turn))
    u = straight.field("displacement")
    assert np.abs(turned.field("displacement") @ turn - u).max() < 1e-8 * np.abs(u).max()
    s = straight.field("von_mises")
    assert np.abs(turned.field("von_mises") - s).max() < 1e-8 * s.max()


@pytest.mark.mpi
@pytest.mark.parametrize("ranks", [2, 3])
def test_the_ranks_do_not_matter(ranks):
    mesh = box("tet10", (4, 2, 2), (2.0, 1.0, 1.0), distort=0.2)
    given = bar(np.eye(3))
    swing = {"expression": "1e-5*sin(3*y)*z"}
    given["steps"][0]["conditions"] = [{"region": "x0", "displacement": dict.fromkeys("xyz", swing)}]
    given["steps"][0]["loads"].append({"centrifugal": {
        "angularVelocity": {"expression": "30*t"}, "direction": {"coordinates": [1, 1, 0]}}})  # fmt: skip
    given["materials"]["m"]["density"] = value(1e-3)
    alone, together = (solve(mesh, given, n).field("displacement") for n in (1, ranks))
    assert np.abs(together - alone).max() < 1e-9 * np.abs(alone).max()


@pytest.mark.mpi
def test_a_value_that_one_rank_alone_sees_to_be_wrong_ends_all():
    mesh = box("hex8", (6, 1, 1), (6.0, 1.0, 1.0))
    given = elastic(
        conditions=[{"region": "x0", "fixed": {}}],
        loads=[{"bodyForce": {"x": {"expression": "if(x > 5.5, log(-t), 0)"}}}],
    )
    failure = solve(mesh, given, 3).failure
    assert failure is not None
    assert failure.reason == "INVALID_MODEL"
    assert [v.reason for v in failure.violations] == ["EXPRESSION_NOT_FINITE"]
    assert "(5." in failure.violations[0].text
