"""Bodies that rotate: annulus and disk at constant speed, and one that is accelerated.

Closed forms, with omega the angular velocity, a and b the radii, k = (a^2 b^2 / r^2):
  thin annulus (plane stress)   sigma_rr = (3 + nu) / 8 rho omega^2 (a^2 + b^2 - k - r^2),
                                sigma_tt = (3 + nu) / 8 rho omega^2 (a^2 + b^2 + k - (1 + 3 nu) / (3 + nu) r^2),
                                u_r = r / E (sigma_tt - nu sigma_rr); without a hole a = 0
  between planes (plane strain) the same with E / (1 - nu^2) and nu / (1 - nu), sigma_zz = nu (sigma_rr + sigma_tt)
Source: Timoshenko and Goodier, "Theory of Elasticity", 3rd edition, 1970, section 32.
  annulus held at r = a and accelerated by alpha: r^2 sigma_rt = rho alpha (r^4 - b^4) / 4, from the balance of moments,
  and u_t / r = integral of sigma_rt / (G r).
Tolerance: 8e-3 of the largest stress, 2e-4 of the largest displacement (1e-3 and 1e-3 of coarser meshes in space), for
16 quadratic cells across the radius: the error of the cells, which falls with the square of their size.
"""

import numpy as np
import pytest

from mapped import mapped, rotation
from meshgen import box, plate
from solving import elastic, kinematics, model_of, solve, value
from verification import published

pytestmark = pytest.mark.published
SOURCE = "Timoshenko and Goodier, Theory of Elasticity, 3rd edition, 1970, section 32 (closed form)"

E, NU, RHO, OMEGA = 2.1e11, 0.3, 7800.0, 500.0
A, B = 0.1, 0.4
MATERIAL = {"material": {"density": value(RHO)}}


def point(*x):
    return {"coordinates": list(x)}


def annulus(r, plane_stress=True, a=A):
    """Stresses rr, tt, zz and radial displacement at radii."""
    modulus, nu = (E, NU) if plane_stress else (E / (1 - NU**2), NU / (1 - NU))
    k = np.divide((a * B) ** 2, r**2, out=np.zeros_like(r), where=r > 0) if a else 0 * r
    c = (3 + nu) / 8 * RHO * OMEGA**2
    rr = c * (a**2 + B**2 - k - r**2)
    tt = c * (a**2 + B**2 + k - (1 + 3 * nu) / (3 + nu) * r**2)
    return rr, tt, 0 * r if plane_stress else NU * (rr + tt), r / modulus * (tt - nu * rr)


def polar(points, solution):
    """Radius; stresses rr, tt, zz; displacements along r and t."""
    r = np.hypot(points[:, 0], points[:, 1])
    c, s = points[:, 0] / r, points[:, 1] / r
    xx, yy, zz, xy = solution.field("stress")[:, :4].T
    ux, uy = solution.field("displacement")[:, :2].T
    rr, tt = xx * c**2 + yy * s**2 + 2 * xy * c * s, xx * s**2 + yy * c**2 - 2 * xy * c * s
    return r, (rr, tt, zz), (ux * c + uy * s, uy * c - ux * s)


def near(found, exact, tolerance):
    assert np.abs(found - exact).max() < tolerance * np.abs(exact).max()


def quarter(cell_type, n=(16, 8)):
    def into(p):
        r, angle = A * (B / A) ** p[:, 0], np.pi / 2 * p[:, 1]
        return np.column_stack([r * np.cos(angle), r * np.sin(angle)])

    return mapped(plate(cell_type, n), into)


QUARTER = [{"region": r, "symmetry": {"normal": n}} for r, n in (("y0", point(0, 1)), ("y1", point(1, 0)))]
SPIN = {"angularVelocity": value(OMEGA)}


@pytest.mark.parametrize("meaning", ["plane_stress", "plane_strain"])
@pytest.mark.parametrize("cell_type", ["quad8", "tri6"])
def test_annulus_in_the_plane(cell_type, meaning):
    mesh = quarter(cell_type)
    sections = kinematics(meaning, thickness=0.02) if meaning == "plane_stress" else kinematics(meaning)
    given = elastic(E, NU, sections=sections, conditions=QUARTER, loads=[{"centrifugal": SPIN}], **MATERIAL)
    solution = solve(mesh, given)
    r, stresses, (ur, ut) = polar(mesh.points, solution)
    *exact, moved = annulus(r, meaning == "plane_stress")
    for found, wanted in zip(stresses, exact, strict=True):
        assert np.abs(found - wanted).max() < 8e-3 * exact[1].max()
    near(ur, moved, 2e-4)
    case = f"Rotating annulus, {meaning.replace('_', ' ')}, {cell_type}"
    inner, outer = np.isclose(r, A), np.isclose(r, B)
    for quantity, found, wanted, unit, tolerance in (
        ("mean hoop stress at the bore", stresses[1][inner].mean(), exact[1][inner].mean(), "Pa", 0.01),
        ("mean radial displacement of the rim", ur[outer].mean(), moved[outer].mean(), "m", 1e-3),
    ):
        published.check(
            case=case, quantity=quantity, source=SOURCE, target=wanted, ours=found, tolerance=tolerance, unit=unit
        )
    assert np.abs(ut).max() < 1e-4 * np.abs(ur).max()
    assert solution.step.balance.energy_error < 1e-9


@pytest.mark.parametrize("cell_type", ["quad8", "tri6"])
@pytest.mark.parametrize("given_axis", [False, True])
def test_body_of_revolution(cell_type, given_axis):
    mesh = mapped(plate(cell_type, (16, 2)), lambda p: np.column_stack([A * (B / A) ** p[:, 0], 3 + 0.1 * p[:, 1]]))
    spin = SPIN | ({"point": point(0, 5), "direction": point(0, -2)} if given_axis else {})
    given = elastic(
        E,
        NU,
        sections=kinematics("axisymmetric"),
        conditions=[{"region": r, "symmetry": {}} for r in ("y0", "y1")],
        loads=[{"centrifugal": spin}],
        **MATERIAL,
    )
    solution = solve(mesh, given)
    r = mesh.points[:, 0]
    rr, tt, zz, moved = annulus(r, plane_stress=False)
    xx, yy, hoop = solution.field("stress")[:, :3].T
    for found, wanted in ((xx, rr), (yy, zz), (hoop, tt)):
        assert np.abs(found - wanted).max() < 8e-3 * tt.max()
    near(solution.field("displacement")[:, 0], moved, 2e-4)


def test_solid_disk():
    # A body of revolution that reaches the axis, thin and free: plane stress, to the order of (h / b)^2.
    h = 0.004
    mesh = mapped(plate("quad8", (16, 1)), lambda p: np.column_stack([B * p[:, 0], h * p[:, 1]]))
    given = elastic(
        E,
        NU,
        sections=kinematics("axisymmetric"),
        conditions=[{"region": "y0", "symmetry": {}}],
        loads=[{"centrifugal": SPIN}],
        **MATERIAL,
    )
    solution = solve(mesh, given)
    rr, tt, _, moved = annulus(mesh.points[:, 0], a=0.0)
    xx, yy, hoop = solution.field("stress")[:, :3].T
    for found, wanted in ((xx, rr), (yy, 0 * rr), (hoop, tt)):
        assert np.abs(found - wanted).max() < 8e-3 * tt.max()
    near(solution.field("displacement")[:, 0], moved, 1e-3)
    centre = np.argmin(mesh.points[:, 0] + mesh.points[:, 1])
    published.check(
        case="Rotating solid disk, axisymmetric, quad8",
        quantity="hoop stress at the centre",
        source=SOURCE,
        target=tt[centre],
        ours=hoop[centre],
        tolerance=0.005,
        unit="Pa",
    )


@pytest.mark.parametrize("cell_type", ["hex20", "tet10", "wedge15"])
def test_annulus_in_space_about_an_oblique_axis(cell_type):
    turn, shift = rotation((1, 2, 3), 0.7), np.array([1.0, -2.0, 0.5])

    def into(p):
        r, angle = A * (B / A) ** p[:, 0], np.pi / 4 * p[:, 1]
        return np.column_stack([r * np.cos(angle), r * np.sin(angle), 0.05 * p[:, 2]])

    straight = mapped(box(cell_type, (10, 4, 1)), into)
    mesh = mapped(straight, lambda p: p @ turn.T + shift)
    spin = {"angularVelocity": value(OMEGA), "direction": point(*(3 * turn[:, 2])), "point": point(*shift)}
    conditions = [{"region": r, "symmetry": {}} for r in ("y0", "y1", "z0", "z1")]
    solution = solve(mesh, elastic(E, NU, conditions=conditions, loads=[{"centrifugal": spin}], **MATERIAL))
    u = solution.field("displacement") @ turn
    r = np.hypot(straight.points[:, 0], straight.points[:, 1])
    ur = (u[:, :2] * straight.points[:, :2]).sum(axis=1) / r
    near(ur, annulus(r, plane_stress=False)[3], 1e-3)
    assert np.abs(u[:, 2]).max() < 1e-4 * ur.max()


def test_an_axis_in_the_plane():
    # A bar along x about the y axis: sigma_xx = rho omega^2 (l^2 - x^2) / 2.
    mesh = mapped(plate("quad8", (6, 1)), lambda p: p * [1.0, 0.05])
    given = elastic(
        E,
        0.0,
        sections=kinematics("plane_stress"),
        conditions=[{"region": "x0", "symmetry": {}}, {"region": "y0", "symmetry": {}}],
        loads=[{"centrifugal": SPIN | {"direction": point(0, 1)}}],
        **MATERIAL,
    )
    x = mesh.points[:, 0]
    moved = RHO * OMEGA**2 / (2 * E) * (x - x**3 / 3)
    near(solve(mesh, given).field("displacement")[:, 0], moved, 1e-4)


@pytest.mark.parametrize("cell_type", ["quad8", "tri6"])
def test_annulus_that_is_accelerated(cell_type):
    alpha = 1e5
    # A full ring of four quarters would do; a sector with the same displacements on both ends is not to be had without
    # cyclic conditions. The exact displacement is prescribed on the two ends instead: what is between them is computed.
    mesh = quarter(cell_type)
    shear = E / (2 * (1 + NU))
    swing = "(w*(r2/2 + B^4/(2*r2) - A^2/2 - B^4/(2*A^2)))".replace("r2", "(x^2 + y^2)")
    ends = {"x": {"expression": f"-y*{swing}"}, "y": {"expression": f"x*{swing}"}}
    given = elastic(
        E,
        NU,
        sections=kinematics("plane_stress"),
        conditions=[{"region": "x0", "fixed": {}}, *({"region": r, "displacement": ends} for r in ("y0", "y1"))],
        loads=[{"euler": {"angularAcceleration": value(alpha)}}],
        parameters={"w": RHO * alpha / (4 * shear), "A": A, "B": B},
        **MATERIAL,
    )
    solution = solve(mesh, given)
    r, _, (ur, ut) = polar(mesh.points, solution)
    exact = r * RHO * alpha / (4 * shear) * (r**2 / 2 + B**4 / (2 * r**2) - A**2 / 2 - B**4 / (2 * A**2))
    assert exact.min() < 0  # it lags behind
    near(ut, exact, 2e-4)
    assert np.abs(ur).max() < 1e-4 * np.abs(ut).max()


@pytest.mark.parametrize("cell_type", ["tet10", "hex20", "pyramid5", "wedge15", "quad9", "tri3"])
@pytest.mark.parametrize("kind", ["centrifugal", "euler"])
def test_resultants_are_those_of_a_rigid_body(cell_type, kind):
    plane = cell_type.startswith(("quad", "tri"))
    dim = 2 if plane else 3
    sizes, shift = np.array([1.0, 0.5, 0.25])[:dim], np.array([0.3, -0.2, 0.7])[:dim]
    made = plate(cell_type, (2, 2), distort=0.3) if plane else box(cell_type, (2, 2, 2), distort=0.3)
    mesh = mapped(made, lambda p: p * sizes + shift)
    p, axis = np.array([0.1, 0.2, 0.3])[:dim], np.array([0.0, 0.0, 1.0]) if plane else np.array([0.6, 0.0, 0.8])
    rate = {"angularVelocity" if kind == "centrifugal" else "angularAcceleration": value(3.0), "point": point(*p)}
    given = elastic(
        conditions=[{"region": "x0", "fixed": {}}],
        loads=[{kind: rate | ({} if plane else {"direction": point(*axis)})}],
        sections=kinematics("plane_stress", thickness=0.25) if plane else [{"material": "m"}],
        material={"density": value(2.0)},
    )
    from dougong.solver.loads import LoadBuilder

    model = model_of(mesh, given)
    builder = LoadBuilder(model)
    builder.run()
    f = np.zeros((len(builder.rhs), 3))
    f[:, :dim] = builder.rhs
    arm = np.zeros_like(f)
    arm[:, :dim] = model.part.points - p
    n = model.part.n_owned
    force, moment = (model.part.comm.sum(v[:n].sum(axis=0)) for v in (f, np.cross(arm, f)))
    # Of a brick: mass, centre, and the second moments about the centre.
    sizes, volume = np.append(sizes, 0.25)[:3], float(np.prod(np.append(sizes, 0.25)[:3]))
    mass, centre = 2.0 * volume, np.zeros(3)
    centre[:dim] = shift + sizes[:dim] / 2 - p
    second = mass * (np.diag(sizes**2) / 12 * (np.arange(3) < dim) + np.outer(centre, centre))
    if kind == "centrifugal":
        across = np.eye(3) - np.outer(axis, axis)
        wanted = 9.0 * mass * across @ centre
        turning = 9.0 * sum(np.cross(np.eye(3)[i], across @ second[:, i]) for i in range(3))
    else:
        inertia = np.trace(second) * np.eye(3) - second
        wanted, turning = -3.0 * mass * np.cross(axis, centre), -3.0 * inertia @ axis
    np.testing.assert_allclose(force, wanted, atol=1e-12 * np.abs(wanted).max())
    if plane:
        turning[:2] = 0.0
    np.testing.assert_allclose(moment, turning, atol=1e-11 * np.abs(moment).max() + 1e-13)


def test_a_speed_over_time_counts_squared():
    mesh = quarter("quad4", (2, 2))
    table = {"overTime": {"at": [0, 2], "value": [0, 2 * OMEGA]}}  # at the end of the step, 1, OMEGA
    moved = []
    for speed in (value(OMEGA), table):
        loads = [{"centrifugal": {"angularVelocity": speed}}]
        given = elastic(E, NU, sections=kinematics("plane_stress"), conditions=QUARTER, loads=loads, **MATERIAL)
        moved.append(solve(mesh, given).field("displacement"))
    np.testing.assert_allclose(*moved, rtol=1e-12, atol=1e-15)
