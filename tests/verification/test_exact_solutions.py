"""Cases with a closed form that the elements contain, or nearly: loads and conditions through the whole worker.

Bar under its own weight: Timoshenko and Goodier, "Theory of Elasticity"; a case of Code_Aster's too, SSLV07.
Wall between two films, rod with heat source, hollow cylinder: Carslaw and Jaeger, "Conduction of Heat in Solids".
Tolerance: 1e-9 where the element contains the solution, else stated.
"""

import numpy as np
import pytest

from mapped import mapped
from meshgen import box, plate
from solving import elastic, heat, solve, value, vector

EXACT = 1e-9


def near(found, exact, tolerance=EXACT):
    assert np.abs(found - exact).max() <= tolerance * np.abs(exact).max()


@pytest.mark.parametrize(
    ("cell_type", "kind"), [("tet10", "gravity"), ("hex20", "gravity"), ("hex20", "bodyForce"), ("hex27", "gravity")]
)
def test_bar_under_its_own_weight(cell_type, kind):
    """Hanging from its upper end: w = g rho (z^2 - L^2 + nu (x^2 + y^2)) / (2 E), u = -nu g rho x z / E.

    A quadratic field. It hangs from a traction on its upper end, the reaction of that solution, and is held at one
    point there; two symmetry planes keep it upright.
    """
    L, E, nu, rho, g = 3.0, 2.1e11, 0.3, 7800.0, 9.81
    mesh = mapped(box(cell_type, (2, 2, 3)), lambda p: p * [0.5, 0.5, L])
    given = elastic(
        E,
        nu,
        material={"density": value(rho)},
        regions={"origin": {"kind": "KIND_NODES", "sphere": {"center": {"coordinates": [0, 0, L]}, "radius": 1e-6}}},
        conditions=[
            {"region": "x0", "symmetry": {}},
            {"region": "y0", "symmetry": {}},
            {"region": "origin", "displacement": vector(z=0.0)},
        ],
        loads=[
            {"region": "", kind: vector(z=-g if kind == "gravity" else -rho * g)},
            {"region": "z1", "traction": vector(z=rho * g * L)},
        ],
    )
    solution = solve(mesh, given)
    x, y, z = mesh.points.T
    k = rho * g / E
    exact = np.column_stack([-nu * k * x * z, -nu * k * y * z, k / 2 * (z**2 - L**2 + nu * (x**2 + y**2))])
    near(solution.field("displacement"), exact)
    stress = np.zeros((mesh.n_nodes, 6))
    stress[:, 2] = rho * g * z
    near(solution.field("stress"), stress, 1e-8)
    assert solution.extreme("stress", "zz").max == pytest.approx(rho * g * L, rel=1e-8)


@pytest.mark.parametrize("cell_type", ["tet4", "hex8", "wedge6", "hex20"])
def test_hydrostatic_pressure(cell_type):
    """Pressure all around: stress -p everywhere, whatever the shape of the cells."""
    p, E, nu = 7.0, 1e3, 0.25
    mesh = box(cell_type, (2, 2, 2), distort=0.4)
    given = elastic(
        E,
        nu,
        regions={"skin": {"all": {}}},
        conditions=[{"region": r, "symmetry": {}} for r in ("x0", "y0", "z0")],
        loads=[{"region": "skin", "pressure": value(p)}],
    )
    solution = solve(mesh, given)
    near(solution.field("displacement"), -p * (1 - 2 * nu) / E * mesh.points)
    near(solution.field("stress")[:, :3], np.full((mesh.n_nodes, 3), -p))
    assert np.abs(solution.field("von_mises")).max() < 1e-8 * p


@pytest.mark.parametrize("cell_type", ["hex8", "wedge6"])
def test_bar_pulled_at_its_nodes(cell_type):
    """A node on an edge of the end gets half, one at a corner a quarter of the force of a node within: no bending."""
    stress, E, nu = 3.0, 1e3, 0.3
    mesh = box(cell_type, (3, 2, 2), (3.0, 1.0, 1.0))
    each = stress / 4  # on a node within the end, of four squares of its grid
    end = {"min": {"coordinates": [3.0, 0.0, 0.0]}, "max": {"coordinates": [3.0, 1.0, 1.0]}}
    middle = {"min": {"coordinates": [3.0, 0.4, 0.4]}, "max": {"coordinates": [3.0, 0.6, 0.6]}}
    upright = {"min": {"coordinates": [3.0, 0.4, 0.0]}, "max": {"coordinates": [3.0, 0.6, 1.0]}}
    level = {"min": {"coordinates": [3.0, 0.0, 0.4]}, "max": {"coordinates": [3.0, 1.0, 0.6]}}
    boxes = {"end": end, "middle": middle, "upright": upright, "level": level}
    # A quarter for all, another on each of the two lines through the middle, and the rest where they cross.
    given = elastic(
        E,
        nu,
        regions={name: {"kind": "KIND_NODES", "box": shape} for name, shape in boxes.items()},
        conditions=[{"region": r, "symmetry": {}} for r in ("x0", "y0", "z0")],
        loads=[{"region": name, "nodalForce": vector(x=each / 4)} for name in boxes],
    )
    solution = solve(mesh, given)
    near(solution.field("displacement"), stress / E * mesh.points * [1, -nu, -nu])
    near(solution.field("stress")[:, 0], np.full(mesh.n_nodes, stress))


@pytest.mark.parametrize("cell_type", ["tri3", "quad8", "tet4", "hex27", "wedge6"])
def test_wall_between_two_films(cell_type):
    """q = (T1 - T2) / (1/h1 + L/k + 1/h2)."""
    L, k, h1, h2, T1, T2 = 0.3, 0.8, 12.0, 25.0, 300.0, 260.0
    planar = cell_type.startswith(("tri", "quad"))
    mesh = plate(cell_type, (3, 2), distort=0.3) if planar else box(cell_type, (3, 2, 2), distort=0.3)
    mesh = mapped(mesh, lambda p: p * L)
    films = [("x0", h1, T1), ("x1", h2, T2)]
    loads = [{"region": r, "convection": {"coefficient": value(h), "ambient": value(T)}} for r, h, T in films]
    solution = solve(mesh, heat(k, loads=loads))
    q = (T1 - T2) / (1 / h1 + L / k + 1 / h2)
    near(solution.field("temperature")[:, 0], T1 - q / h1 - q / k * mesh.points[:, 0])
    near(solution.field("heat_flux")[:, 0], np.full(mesh.n_nodes, q))


@pytest.mark.parametrize("cell_type", ["tri6", "quad9", "tet10", "hex20"])
def test_rod_with_a_heat_source(cell_type):
    """T = T0 + s x (L - x / 2) / k, warm end insulated; a quadratic field."""
    L, k, s, T0 = 2.0, 5.0, 40.0, 300.0
    planar = cell_type.startswith(("tri", "quad"))
    mesh = plate(cell_type, (3, 1)) if planar else box(cell_type, (3, 1, 1))
    mesh = mapped(mesh, lambda p: p * L)
    given = heat(k, conditions=[{"region": "x0", "temperature": value(T0)}], loads=[{"heatSource": value(s)}])
    solution = solve(mesh, given)
    x = mesh.points[:, 0]
    near(solution.field("temperature")[:, 0], T0 + s * x * (L - x / 2) / k)
    area = L if planar else L**2
    assert solution.step.balance.reaction_sum[0] == pytest.approx(-s * L * area, rel=EXACT)


def test_hollow_cylinder():
    """Flux in at the inner radius, temperature held at the outer: T = Tb + q a ln(b / r) / k. 0.1 %."""
    a, b, k, q, Tb = 0.1, 0.3, 15.0, 2000.0, 50.0

    def quarter(p):
        r, angle = a * (b / a) ** p[:, 0], np.pi / 2 * p[:, 1]
        return np.column_stack([r * np.cos(angle), r * np.sin(angle)])

    mesh = mapped(plate("quad9", (6, 6)), quarter)
    given = heat(
        k,
        conditions=[{"region": "x1", "temperature": value(Tb)}],
        loads=[{"region": "x0", "heatFlux": value(q)}],
    )
    solution = solve(mesh, given)
    r = np.hypot(*mesh.points.T)
    near(solution.field("temperature")[:, 0] - Tb, q * a * np.log(b / r) / k, 1e-3)
    # What enters leaves at the outer radius.
    assert solution.step.balance.reaction_sum[0] == pytest.approx(-q * np.pi / 2 * a, rel=1e-4)


def test_prescribed_in_local_axes():
    """A bar turned by 30 degrees, pulled along its own axis by a prescribed displacement."""
    angle, stretch = np.pi / 6, 1e-3
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    mesh = mapped(box("hex8", (3, 1, 1), (3.0, 1.0, 1.0), distort=0.3), lambda p: p @ turn.T)
    axes = {"xAxis": {"coordinates": [c, s, 0]}, "xyPlane": {"coordinates": [0, 1, 0]}}
    given = elastic(
        1e5,
        0.3,
        conditions=[
            *({"region": r, "symmetry": {}} for r in ("x0", "y0", "z0")),
            {"region": "x1", "displacement": vector(x=3 * stretch) | {"axes": axes}},
        ],
    )
    solution = solve(mesh, given)
    local = solution.field("displacement") @ turn
    straight = mesh.points @ turn
    near(local, straight * [stretch, -0.3 * stretch, -0.3 * stretch])
    assert solution.extreme("von_mises").max == pytest.approx(1e5 * stretch, rel=EXACT)
    pull = next(r for r in solution.step.reactions if r.region == "x1").sum
    np.testing.assert_allclose(turn.T @ pull, [1e5 * stretch, 0, 0], atol=1e-6)
