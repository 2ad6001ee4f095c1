"""Constitutive models: their matrices, the constants they refuse, orientations that make no sense."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from dougong.meshes.mesh import Mesh
from dougong.solver.materials import all_models, anisotropic, isotropic, orthotropic
from meshgen import box, plate
from oriented import FIBRES, TRICLINIC, axes, cylinder, fibres, made_of, triclinic, turn
from solving import check_model, elastic, heat, value, vector

CATALOGUE = Path(__file__).parents[2] / "proto" / "dougong" / "messages" / "texts" / "materials.toml"
HELD = {"conditions": [{"region": "x0", "fixed": {}}], "loads": [{"region": "x1", "traction": vector(x=1.0)}]}
WARM = {"conditions": [{"region": "x0", "temperature": value(5.0)}]}
STRAIN = {"kinematics": "KINEMATICS_PLANE_STRAIN"}
RING = {"kinematics": "KINEMATICS_AXISYMMETRIC"}
ROUND = cylinder([0.0, 0.0, 0.0], [0.0, 0.0, 1.0])


def solid(material, orientation=None, name="o", **section):
    orientations = {} if orientation is None else {"orientations": {"o": orientation}}
    section |= {} if orientation is None else {"orientation": name}
    return box("hex8", (2, 2, 2)), made_of(material, elastic(**HELD), **section) | orientations


def sheet(material, orientation=None, **section):
    return plate("quad4", (2, 2)), solid(material, orientation, **section)[1]


def in_the_middle():
    """A body in which the middle of a cell, an integration point, lies on the z axis."""
    mesh = box("hex20", (2, 2, 2))
    return Mesh(mesh.points - [0.25, 0.25, 0.0], mesh.blocks, mesh.regions), solid(fibres(), ROUND)[1]


def without(constant):
    given = fibres()
    del given["orthotropic"][constant]
    return given


def conductivity(**k):
    mesh = box("hex8", (1, 1, 1))
    return mesh, made_of({"orthotropicConductivity": {n: value(x) for n, x in k.items()}}, heat(**WARM))


BOTH = fibres() | {"elastic": {"youngModulus": value(1.0), "poissonRatio": value(0.3)}}
FEW = {"anisotropic": {"constants": [value(1.0)] * 20}}
TURNED = axes(np.eye(3))
FLAT = {"axes": {"xAxis": {"coordinates": [1.0, 2.0, 3.0]}, "xyPlane": {"coordinates": [2.0, 4.0, 6.0]}}}
ANGLE = 'orientations["o"].rotation.angle_degrees'
ORTHOTROPIC = 'materials["m"].orthotropic'

#: Reason, field path, analysis.
WRONG = [
    ("MATERIAL_MODELS_SEVERAL", ORTHOTROPIC, solid(BOTH)),
    ("MATERIAL_CONSTANT_MISSING", f"{ORTHOTROPIC}.g13", solid(without("g13"))),
    ("MATERIAL_CONSTANT_MISSING", 'materials["m"].orthotropic_conductivity.k2', conductivity(k1=1.0, k3=2.0)),
    ("CONDUCTIVITY_NOT_POSITIVE", 'materials["m"].orthotropic_conductivity.k2', conductivity(k1=1.0, k2=-1.0, k3=2.0)),
    ("MODULUS_NOT_POSITIVE", f"{ORTHOTROPIC}.e2", solid(fibres(e2=0.0))),
    ("MODULUS_NOT_POSITIVE", f"{ORTHOTROPIC}.g23", solid(fibres(g23=-3.0))),
    ("ORTHOTROPIC_POISSON_RATIO_TOO_LARGE", f"{ORTHOTROPIC}.nu23", solid(fibres(nu23=1.2))),
    ("ORTHOTROPIC_POISSON_RATIO_TOO_LARGE", f"{ORTHOTROPIC}.nu12", solid(fibres(nu12=-3.7))),
    ("ORTHOTROPIC_NOT_POSITIVE_DEFINITE", ORTHOTROPIC, solid(fibres(nu12=2.5, nu13=2.9, nu23=0.9))),
    ("ANISOTROPIC_CONSTANTS_COUNT", 'materials["m"].anisotropic.constants', solid(FEW)),
    ("ANISOTROPIC_NOT_POSITIVE_DEFINITE", 'materials["m"].anisotropic', solid(triclinic(d2323=-1.0))),
    ("ANISOTROPIC_COUPLES_OUT_OF_PLANE", 'materials["m"].anisotropic.constants[10]', sheet(triclinic(), **STRAIN)),
    ("ORIENTATION_UNKNOWN", "sections[0].orientation", solid(fibres(), TURNED, "p")),
    ("ORIENTATION_EMPTY", 'orientations["o"]', solid(fibres(), {})),
    ("AXES_DEGENERATE", 'orientations["o"].axes', solid(fibres(), FLAT)),
    ("WRONG_NUMBER_OF_COORDINATES", 'orientations["o"].axes.x_axis', sheet(fibres(), TURNED, **STRAIN)),
    ("WRONG_NUMBER_OF_COORDINATES", 'orientations["o"].cylindrical.origin', sheet(fibres(), ROUND, **STRAIN)),
    ("ORIENTATION_AXIS_IN_PLANE", 'orientations["o"].cylindrical.axis', sheet(fibres(), ROUND, **STRAIN)),
    ("DIRECTION_ZERO", 'orientations["o"].cylindrical.axis', solid(fibres(), cylinder([0.0] * 3, [0.0] * 3))),
    ("ORIENTATION_CYLINDRICAL_OF_RING", "sections[0].orientation", sheet(fibres(), cylinder([0.0, 0.0]), **RING)),
    ("ROTATION_AXIS_UNKNOWN", 'orientations["o"].rotation.about', solid(fibres(), turn(30.0, about=4))),
    ("ROTATION_OUT_OF_PLANE", 'orientations["o"].rotation.about', sheet(fibres(), turn(30.0, about=1), **STRAIN)),
    ("VALUE_MISSING", 'orientations["o"].rotation.angle_degrees', solid(fibres(), {"rotation": {"about": 2}})),
    ("EXPRESSION_NOT_FINITE", f"{ANGLE}.expression", solid(fibres(), turn("30 * sqrt(x - 0.5)"))),
    ("VARIATION_NOT_HERE", f"{ANGLE}.expression", solid(fibres(), turn("30 * t"))),
    ("ORIENTATION_ON_AXIS", "sections[0].orientation", in_the_middle()),
]


@pytest.mark.parametrize(("reason", "field", "model"), WRONG, ids=[f"{r}-{k}" for k, (r, _, _) in enumerate(WRONG)])
def test_what_is_wrong_is_said_with_its_place(reason, field, model):
    found = {(v.reason, v.field): v for v in check_model(*model).violations}
    assert (reason, field) in found
    assert "{" not in found[reason, field].text


def test_every_reason_is_reached():
    assert set(tomllib.loads(CATALOGUE.read_text())) <= {reason for reason, _, _ in WRONG}


@pytest.mark.parametrize("material", [fibres(), triclinic()])
def test_possible_constants_are_taken(material):
    assert not check_model(*solid(material, TURNED)).violations
    assert not check_model(*solid(material, turn("90 * x"))).violations
    assert not check_model(*solid(material, cylinder([-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]))).violations


def test_the_limits_of_an_orthotropic_material_are_those_of_positive_energy():
    """The inequalities hold exactly where all eigenvalues of the compliance are positive, over random constants."""
    rng = np.random.default_rng(4)
    right = 0
    for _ in range(400):
        e, g, nu = rng.uniform(0.2, 5.0, 3), rng.uniform(0.2, 5.0, 3), rng.uniform(-1.2, 1.2, 3)
        S = np.diag(1 / e)
        S[0, 1] = S[1, 0] = -nu[0] / e[0]
        S[0, 2] = S[2, 0] = -nu[1] / e[0]
        S[1, 2] = S[2, 1] = -nu[2] / e[1]
        given = dict(zip(orthotropic.CONSTANTS, map(float, (*e, *nu, *g)), strict=True))
        assert (np.linalg.eigvalsh(S)[0] > 0) == (not orthotropic.faults(**given))
        right += not orthotropic.faults(**given)
    assert 50 < right < 350


def test_models_agree_on_an_isotropic_material():
    E, nu = 2.1e5, 0.28
    G = E / (2 * (1 + nu))
    C = isotropic.matrix(E, nu)
    scale = np.abs(C).max()
    same = orthotropic.matrix(E, E, E, nu, nu, nu, G, G, G)
    assert np.abs(same - C).max() < 1e-14 * scale
    lam, mu = E * nu / ((1 + nu) * (1 - 2 * nu)), G
    diagonal = {f"d{c}{c}": lam + 2 * mu if c[0] == c[1] else mu for c in ("11", "22", "33", "12", "13", "23")}
    cubic = dict.fromkeys(anisotropic.CONSTANTS, 0.0) | diagonal | dict.fromkeys(("d1122", "d1133", "d2233"), lam)
    assert np.abs(anisotropic.matrix(**cubic) - C).max() < 1e-14 * scale


def test_the_order_of_21_constants_is_that_of_input_files():
    text = """D1111 D1122 D2222 D1133 D2233 D3333 D1112 D2212 D3312 D1212 D1113
              D2213 D3313 D1213 D1313 D1123 D2223 D3323 D1223 D1323 D2323"""
    assert tuple(text.lower().split()) == anisotropic.CONSTANTS


def test_matrices_of_many_points_at_once():
    for model, constants in ((isotropic.MODEL, {"young_modulus": 3.0, "poisson_ratio": 0.2}),
                             (orthotropic.MODEL, FIBRES), (anisotropic.MODEL, TRICLINIC)):  # fmt: skip
        one = model.matrix(**constants)
        factor = np.array([[1.0, 2.0, 5.0]])
        varied = {name: x * factor if abs(x) > 1 else x for name, x in constants.items()}
        np.testing.assert_allclose(model.matrix(**varied), one * factor[..., None, None], rtol=1e-12, atol=1e-9)


def test_of_each_property_there_is_one_isotropic_model_and_it_comes_first():
    for wanted in ("elasticity", "conductivity"):
        of_it = [m.isotropic for m in all_models() if m.property == wanted]
        assert of_it[0]
        assert not any(of_it[1:])
