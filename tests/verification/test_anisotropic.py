"""Materials with axes against exact answers: patch tests, tension off the axes, heat flow askew, turned models.

Tension off the axes: the compliance transformed as a tensor; in closed form Jones, "Mechanics of Composite Materials",
1999, section 2.6: 1/E_x = c⁴/E_1 + (1/G_12 - 2 ν_12/E_1) s²c² + s⁴/E_2.
"""

import numpy as np
import pytest

from dougong.meshes.mesh import Mesh
from dougong.solver.laws.rotation import PAIRS
from dougong.solver.materials import orthotropic
from mapped import rotation
from meshgen import box, plate
from oriented import (
    FIBRES,
    TRICLINIC,
    along,
    axes,
    cylinder,
    fibre_matrix,
    fibres,
    made_of,
    stiffness,
    triclinic,
    turn,
)
from solving import Discrete, elastic, heat, solve, value, vector
from verification.test_patch import EXACT, PLANES, SOLIDS, close, mesh

R = rotation((1, -2, 3), 1.1)
AXIS = np.array([0.6, -0.3, 0.9])

#: The same in all directions across axis 3: a cylinder about that axis may turn 1 and 2 as it likes.
ROVING = {
    "e1": 10e3, "e2": 10e3, "e3": 140e3,
    "nu12": 0.4, "nu13": 0.02, "nu23": 0.02,
    "g12": 10e3 / 2.8, "g13": 5e3, "g23": 5e3,
}  # fmt: skip


def voigt(tensor):
    return np.stack([tensor[..., i, j] for i, j in PAIRS], axis=-1)


def stress_of(law, gradient):
    """σ_ij = C_ijkl ∂u_k/∂x_l, as a vector; law (3, 3, 3, 3)."""
    return voigt(np.einsum("ijkl,kl->ij", law, gradient))


def expect_constant_strain(case, gradient, law):
    """The linear field is exact, its stress constant, whatever the material."""
    dim = case.points.shape[1]
    exact = case.points @ gradient[:dim, :dim].T + [1e-3, -2e-3, 5e-4][:dim]
    assert case.n_inside > 0
    case.prescribe(case.boundary, exact[case.boundary])
    u = case.solve()
    assert close(u, exact)
    found = case.recover(u, ["stress"], ["stress"])
    stress = stress_of(law, gradient)
    assert close(found.nodal["stress"], stress[None])
    assert close(found.at_points["stress"][0], stress)


@pytest.mark.parametrize("cell_type", SOLIDS)
def test_patch_without_any_symmetry(cell_type):
    given = made_of(triclinic(), elastic(), orientation="o") | {"orientations": {"o": axes(R)}}
    gradient = np.random.default_rng(1).uniform(-1e-3, 1e-3, (3, 3))
    C = np.zeros((6, 6))
    order = ("11", "22", "33", "12", "23", "13")
    for name, constant in TRICLINIC.items():
        i, j = order.index(name[1:3]), order.index(name[3:])
        C[i, j] = C[j, i] = constant
    expect_constant_strain(Discrete(mesh(cell_type, 0.35, 0.3), given), gradient, stiffness(C, R))


@pytest.mark.parametrize("cell_type", SOLIDS)
def test_patch_with_axes_that_differ_at_every_point(cell_type):
    """A bundle of fibres along the axis of a cylinder: its law is constant, though the axes 1 and 2 turn."""
    material = fibres(**ROVING)
    given = made_of(material, elastic(), orientation="o") | {
        "orientations": {"o": cylinder([-1.0, 0.5, 0.0], list(AXIS))}
    }
    case = Discrete(mesh(cell_type, 0.35, 0.3), given)
    assert case.model.varying.all()
    third = AXIS / np.linalg.norm(AXIS)
    first = np.cross(third, [1.0, 0.0, 0.0])
    first /= np.linalg.norm(first)
    law = stiffness(orthotropic.matrix(**ROVING), np.array([first, np.cross(third, first), third]))
    gradient = np.random.default_rng(1).uniform(-1e-3, 1e-3, (3, 3))
    expect_constant_strain(case, gradient, law)


@pytest.mark.parametrize("kind", ["plane_stress", "plane_strain"])
@pytest.mark.parametrize("cell_type", PLANES)
def test_patch_in_the_plane(cell_type, kind):
    section = {"kinematics": f"KINEMATICS_{kind.upper()}", "orientation": "o"}
    given = made_of(fibres(), elastic(), **section) | {"orientations": {"o": turn(35.0)}}
    law = stiffness(fibre_matrix(), rotation((0, 0, 1), np.radians(35.0)).T)
    gradient = np.pad(np.random.default_rng(1).uniform(-1e-3, 1e-3, (2, 2)), (0, 1))
    if kind == "plane_stress":
        in_plane = np.einsum("kl,kl->", law[2, 2], gradient)
        gradient[2, 2] = -in_plane / law[2, 2, 2, 2]
        assert stress_of(law, gradient)[2] == pytest.approx(0.0, abs=1e-10)
    expect_constant_strain(Discrete(mesh(cell_type, 0.35, 0.3), given), gradient, law)


@pytest.mark.parametrize("cell_type", PLANES)
def test_patch_about_an_axis(cell_type):
    """Stiff along y: u_r = a r, u_y = b y have no shear, and equal radial and hoop stress."""
    upright = {"e1": 10e3, "e2": 140e3, "e3": 10e3, "nu12": 0.02, "nu13": 0.4, "nu23": 0.28}
    upright |= {"g12": 5e3, "g13": 10e3 / 2.8, "g23": 5e3}
    a, b = 7e-4, -4e-4
    case = Discrete(
        mesh(cell_type, 0.35, 0.0), made_of(fibres(**upright), elastic(), kinematics="KINEMATICS_AXISYMMETRIC")
    )
    exact = case.points * [a, b]
    case.prescribe(case.boundary, exact[case.boundary])
    u = case.solve()
    assert close(u, exact)
    S = np.array(
        [[1 / 10e3, -0.02 / 10e3, -0.4 / 10e3], [-0.02 / 10e3, 1 / 140e3, -0.28 / 140e3],
         [-0.4 / 10e3, -0.28 / 140e3, 1 / 10e3]]
    )  # fmt: skip
    stress = np.linalg.solve(S, [a, b, a])
    assert stress[0] == pytest.approx(stress[2])
    assert close(case.recover(u, ["stress"], []).nodal["stress"], np.array([[*stress, 0, 0, 0]]))


@pytest.mark.parametrize("varying", [False, True], ids=["everywhere", "point-by-point"])
@pytest.mark.parametrize("cell_type", SOLIDS + PLANES)
def test_heat_flows_askew(cell_type, varying):
    """A linear temperature; the flux -k ∇T is not along it. About a cylinder k2 = k1 keeps the tensor constant."""
    dim = 2 if cell_type in PLANES else 3
    k = np.array([60.0, 60.0 if varying else 2.0, 7.0])
    if varying:
        orientation = cylinder([-1.0, 0.5, 0.0][:dim], list(AXIS) if dim == 3 else None)
        third = AXIS / np.linalg.norm(AXIS) if dim == 3 else np.array([0.0, 0.0, 1.0])
        conductivity = 60.0 * np.eye(3) + (7.0 - 60.0) * np.outer(third, third)
    else:
        turned = R if dim == 3 else rotation((0, 0, 1), 0.6)
        orientation = axes(turned[:dim, :dim])
        conductivity = turned.T @ np.diag(k) @ turned
    given = made_of(along(*k), heat(), orientation="o") | {"orientations": {"o": orientation}}
    case = Discrete(mesh(cell_type, 0.35, 0.3), given)
    gradient = np.array([3.0, -2.0, 7.0])[:dim]
    exact = (case.points @ gradient + 20.0)[:, None]
    case.prescribe(case.boundary, exact[case.boundary])
    u = case.solve()
    assert close(u, exact)
    found = case.recover(u, ["heat_flux"], ["heat_flux"])
    flux = -conductivity[:dim, :dim] @ gradient
    assert close(found.nodal["heat_flux"], flux[None])
    assert close(found.at_points["heat_flux"][0], flux)


@pytest.mark.parametrize("degrees", [0.0, 15.0, 45.0, 90.0])
def test_tension_off_the_axes(degrees):
    """A strip of fibres at an angle, pulled at both ends, through the worker: it shears, and uniformly."""
    pull = 20.0
    corner = {"kind": "KIND_NODES", "sphere": {"center": {"coordinates": [0.0, 0.0]}, "radius": 1e-6}}
    end = {"kind": "KIND_NODES", "sphere": {"center": {"coordinates": [1.0, 0.0]}, "radius": 1e-6}}
    given = elastic(
        regions={"corner": corner, "end": end},
        conditions=[{"region": "corner", "fixed": {}}, {"region": "end", "displacement": vector(y=0.0)}],
        loads=[{"region": "x1", "traction": vector(x=pull)}, {"region": "x0", "traction": vector(x=-pull)}],
        orientations={"ply": turn(degrees)},
        outputs={"fields": [{"name": "displacement"}, {"name": "strain"}, {"name": "stress"}]},
    )
    given = made_of(fibres(), given, kinematics="KINEMATICS_PLANE_STRESS", orientation="ply")
    solution = solve(plate("quad8", (4, 3), distort=0.2), given)
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    E1, E2, nu, G = (FIBRES[name] for name in ("e1", "e2", "nu12", "g12"))
    xx = c**4 / E1 + (1 / G - 2 * nu / E1) * s**2 * c**2 + s**4 / E2
    yy = -(nu / E1 * (s**4 + c**4) - (1 / E1 + 1 / E2 - 1 / G) * s**2 * c**2)
    xy = (2 / E1 + 2 * nu / E1 - 1 / G) * s * c**3 - (2 / E2 + 2 * nu / E1 - 1 / G) * s**3 * c
    strain = solution.field("strain")
    np.testing.assert_allclose(
        strain[:, [0, 1]], np.broadcast_to(pull * np.array([xx, yy]), (len(strain), 2)), rtol=1e-8
    )
    assert np.abs(strain[:, 3] - pull * xy).max() < 1e-8 * pull * xx
    stress = solution.field("stress")
    assert np.abs(stress - [pull, 0, 0, 0, 0, 0]).max() < 1e-7 * pull


@pytest.mark.parametrize("method", ["METHOD_DIRECT", "METHOD_ITERATIVE"])
@pytest.mark.parametrize("varying", [False, True], ids=["everywhere", "point-by-point"])
def test_a_turned_model_with_turned_axes_has_the_turned_answer(varying, method):
    """Displacement and stress turn with the body; on quadratic cells the iteration has no matrix."""
    body = box("tet10", (4, 2, 2), (2.0, 1.0, 1.0), distort=0.2)
    own = rotation((2, 1, 0), 0.5)

    def answer(turned):
        if varying:
            orientation = cylinder([float(x) for x in turned @ [-1.0, 0.0, 0.0]], [float(x) for x in turned @ AXIS])
            orientation |= turn(30.0, about=1)
        else:
            orientation = axes(own @ turned.T)
        load = {c: value(float(x)) for c, x in zip("xyz", turned @ [1.0, 2.0, -0.5], strict=True)}
        given = elastic(
            conditions=[{"region": "x0", "fixed": {}}],
            loads=[{"region": "x1", "traction": load}],
            orientations={"o": orientation},
            solver={"method": method, "relativeTolerance": 1e-12},
        )
        moved = Mesh(body.points @ turned.T, body.blocks, body.regions)
        return solve(moved, made_of(fibres(), given, orientation="o"))

    straight, turned = answer(np.eye(3)), answer(R)
    if method == "METHOD_ITERATIVE":
        assert turned.step.solve.iterations > 1
    expected = straight.field("displacement") @ R.T
    assert np.abs(turned.field("displacement") - expected).max() < 1e-8 * np.abs(expected).max()
    places = np.array([[0, 3, 5], [3, 1, 4], [5, 4, 2]])
    expected = voigt(np.einsum("ia,nab,jb->nij", R, straight.field("stress")[:, places], R))
    assert np.abs(turned.field("stress") - expected).max() < 1e-7 * np.abs(expected).max()


@pytest.mark.parametrize("ranks", [2, 3])
def test_the_number_of_ranks_does_not_matter(ranks):
    """Two sections, one with axes that vary, iterated without a matrix."""
    low = {"min": {"coordinates": [-9.0] * 3}, "max": {"coordinates": [1.001, 9.0, 9.0]}}
    high = {"min": {"coordinates": [0.999, -9.0, -9.0]}, "max": {"coordinates": [9.0] * 3}}
    given = elastic(
        conditions=[{"region": "x0", "fixed": {}}],
        loads=[{"region": "x1", "traction": vector(y=1.0, z=2.0)}],
        regions={name: {"kind": "KIND_CELLS", "box": b} for name, b in (("low", low), ("high", high))},
        orientations={"round": cylinder([-1.0, 0.0, 0.0], [0.0, 0.2, 1.0]), "askew": turn(30.0)},
        solver={"method": "METHOD_ITERATIVE", "relativeTolerance": 1e-12},
    )
    given["materials"] = {"m": fibres(), "n": triclinic()}
    given["sections"] = [
        {"region": "low", "material": "m", "orientation": "round"},
        {"region": "high", "material": "n", "orientation": "askew"},
    ]
    body = box("hex20", (4, 3, 3), (2.0, 1.0, 1.0))
    alone, shared = solve(body, given), solve(body, given, ranks)
    for name in ("displacement", "stress"):
        expected = alone.field(name)
        assert np.abs(shared.field(name) - expected).max() < 1e-8 * np.abs(expected).max()


def test_exactness_is_asked_of_all():
    """The tolerance of this file is that of the patch tests; a law turned the wrong way is far outside of it."""
    gradient = np.diag([1.0, 0.0, 0.0])
    right, wrong = (stress_of(stiffness(fibre_matrix(), turned), gradient) for turned in (R, R.T))
    assert np.abs(right - wrong).max() > 1e3 * EXACT * np.abs(right).max()
