"""Laws of cells with orientations: rotated as tensors are, and the same through kernels and through plain forms."""

import numpy as np
import pytest
from google.protobuf.json_format import ParseDict

from dougong.solver import assemble as assembly
from dougong.solver import kernels
from dougong.solver.laws.orientation import axes_at
from dougong.solver.laws.rotation import PAIRS, strain_rotation, turned
from dougong.solver.linalg.coarse import linear_level
from dougong.solver.linalg.operator import Operator
from dougong.solver.materials import anisotropic, orthotropic
from dougong.solver.recover import internal_forces
from dougong.v1 import analysis_pb2 as pb
from mapped import rotation
from meshgen import box, plate
from oriented import FIBRES, TRICLINIC, along, axes, cylinder, fibres, made_of, stiffness, triclinic, turn
from solving import Discrete, elastic, heat, model_of, vector

R = rotation((1, -2, 3), 1.1)
needs_kernels = pytest.mark.skipif(not kernels.available(), reason="the kernels are not built")
SOLIDS = (
    "tet4", "tet10", "hex8", "hex20", "hex27", "wedge6", "wedge15", "wedge18", "pyramid5", "pyramid13", "pyramid14",
)  # fmt: skip
PLANES = ("tri3", "tri6", "quad4", "quad8", "quad9")
ORIENTATIONS = {
    "turned": axes(R),
    "round": cylinder([-1.0, 0.4, 0.2], [1.0, 0.3, 2.0]),
    "wound": axes(R) | turn("20 + 90 * x * y", about=2),
}
IN_PLANE = {
    "turned": axes(rotation((0, 0, 1), 0.6)[:2, :2]),
    "round": cylinder([-1.0, 0.4]),
    "wound": turn("20 + 90 * x * y"),
}
HELD = [{"region": "x0", "displacement": vector(x=1e-3, y=0.0)}]


CASES = [
    *((cell, "elastic", "") for cell in SOLIDS),
    *((cell, "heat", "") for cell in ("tet10", "hex8", "wedge15")),
    *((cell, "elastic", kind) for cell in PLANES for kind in ("plane_stress", "plane_strain")),
    *((cell, "heat", "plane_stress") for cell in PLANES),
]


def made(cell, physics, kind, orientation):
    dim = 2 if cell in PLANES else 3
    section = {"orientation": "o"}
    if kind:
        section |= {"kinematics": f"KINEMATICS_{kind.upper()}", "thickness": {"value": 0.3}}
    if physics == "heat":
        given = made_of(along(), heat(conditions=[{"region": "x0", "temperature": {"value": 5.0}}]), **section)
    else:
        given = made_of(fibres(), elastic(conditions=HELD), **section)
    of_it = {"o": (IN_PLANE if dim == 2 else ORIENTATIONS)[orientation]}
    mesh = plate(cell, (3, 2), distort=0.3, curve=0.2) if dim == 2 else box(cell, (2, 1, 1), distort=0.3, curve=0.2)
    return Discrete(mesh, given | {"orientations": of_it})


@pytest.mark.parametrize(("model", "constants"), [(orthotropic, FIBRES), (anisotropic, TRICLINIC)])
def test_a_matrix_turns_as_a_tensor(model, constants):
    C = model.matrix(**constants)
    tensor = stiffness(C, R)
    found = turned(C, strain_rotation(R))
    expected = np.array([[tensor[i, j, k, m] for k, m in PAIRS] for i, j in PAIRS])
    np.testing.assert_allclose(found, expected, atol=1e-12 * np.abs(C).max())
    many = turned(C, strain_rotation(np.broadcast_to(R, (2, 3, 3, 3))))
    np.testing.assert_allclose(many, np.broadcast_to(expected, (2, 3, 6, 6)), atol=1e-12 * np.abs(C).max())


@needs_kernels
@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(("cell", "physics", "kind"), CASES)
def test_kernels_and_plain_forms_give_the_same(cell, physics, kind, orientation, monkeypatch):
    case = made(cell, physics, kind, orientation)
    model, n = case.model, case.model.part.n_owned
    assert model.varying.any() == (orientation != "turned")
    u = np.random.default_rng(1).normal(size=case.rhs.shape)
    fused = assembly.assemble(model, case.constraints, case.rhs, [])
    forces = internal_forces(model, u)
    operator = Operator(model, case.constraints, [])
    product = np.empty(n * case.nc)
    operator.multiply(u[:n].ravel(), product)
    monkeypatch.setattr(kernels, "available", lambda: False)
    plain = assembly.assemble(model, case.constraints, case.rhs, [])
    np.testing.assert_array_equal(fused.matrix.indices, plain.matrix.indices)
    scale = np.abs(plain.matrix.values).max()
    assert np.abs(fused.matrix.values - plain.matrix.values).max() < 1e-13 * scale
    assert np.abs(fused.rhs - plain.rhs).max() < 1e-13 * np.abs(plain.rhs).max()
    assert np.abs(forces - internal_forces(model, u))[:n].max() < 1e-12 * np.abs(forces).max()
    rows = np.repeat(np.arange(n), np.diff(plain.matrix.indptr))
    expected = np.zeros((n, case.nc))
    np.add.at(expected, rows, np.einsum("nij,nj->ni", plain.matrix.values, u[plain.matrix.indices]))
    assert np.abs(product.reshape(n, -1) - expected).max() < 1e-12 * np.abs(expected).max()


@needs_kernels
def test_sections_that_vary_and_such_that_do_not_in_one_block(monkeypatch):
    """Fast and general kernels share the rows of one matrix; the linear level is the same operator on corners."""
    given = elastic(material={"density": {"value": 1.0}}, conditions=HELD)
    given["materials"]["layer"] = fibres()
    given["orientations"] = ORIENTATIONS
    low = {"kind": "KIND_CELLS", "box": {"min": {"coordinates": [-9.0] * 3}, "max": {"coordinates": [0.501, 9.0, 9.0]}}}
    high = {
        "kind": "KIND_CELLS",
        "box": {"min": {"coordinates": [0.499, -9.0, -9.0]}, "max": {"coordinates": [9.0] * 3}},
    }
    given["regions"] = {"low": low, "high": high}
    given["sections"] = [
        {"region": "low", "material": "m", "orientation": "round"},
        {"region": "high", "material": "layer", "orientation": "round"},
    ]
    case = Discrete(box("tet10", (2, 2, 2)), given)
    np.testing.assert_array_equal(case.model.varying, [False, True])  # no axes count for an isotropic material
    assert len(list(assembly.stiffness_forms(case.model, 0))) == 2
    fused = assembly.assemble(case.model, case.constraints, case.rhs, []).matrix.values
    level = linear_level(case.model, case.constraints, [])
    assert np.isfinite(level.matrix.values).all()
    monkeypatch.setattr(kernels, "available", lambda: False)
    plain = assembly.assemble(case.model, case.constraints, case.rhs, []).matrix.values
    assert np.abs(fused - plain).max() < 1e-13 * np.abs(plain).max()


def test_axes_that_do_not_vary_take_the_way_of_sections():
    case = made("tet10", "elastic", "", "turned")
    law = case.model.law(0, slice(0, 3))
    assert law.form.shape == (3, 1, 6, 6)
    vary = made("tet10", "elastic", "", "round").model.law(0, slice(0, 3))
    assert vary.form.shape[1] > 1
    assert np.ptp(vary.form, axis=1).max() > 1e3


def test_the_anisotropic_law_is_reduced_in_plane_stress():
    """In plane stress σ_zz is zero, and the reduced compliance is the part xx, yy, xy of that of the solid."""
    mesh = plate("quad4", (1, 1))
    given = made_of(fibres(), elastic(), kinematics="KINEMATICS_PLANE_STRESS", orientation="o")
    given["orientations"] = {"o": IN_PLANE["turned"]}
    law = model_of(mesh, given).law(0, slice(None)).form[0, 0]
    turn = np.eye(3)
    turn[:2, :2] = rotation((0, 0, 1), 0.6)[:2, :2]
    S = np.linalg.inv(turned(orthotropic.matrix(**FIBRES), strain_rotation(turn)))
    np.testing.assert_allclose(np.linalg.inv(law), S[np.ix_([0, 1, 3], [0, 1, 3])], rtol=1e-10)


def test_a_material_without_symmetry_in_its_axes():
    law = model_of(box("hex8", (1, 1, 1)), made_of(triclinic(), elastic())).law(0, slice(None)).form[0, 0]
    D = TRICLINIC
    assert law[0, 0] == D["d1111"]
    assert law[0, 3] == law[3, 0] == D["d1112"]
    assert law[5, 4] == D["d1323"]  # 13 is zx, 23 is yz
    assert law[2, 5] == D["d3313"]


@pytest.mark.parametrize("about", [1, 2, 3])
def test_axes_are_turned_about_one_of_them(about):
    """By Rodrigues' formula about the global direction of that axis; an expression of position turns each point."""
    points = np.random.default_rng(2).uniform(size=(4, 5, 3))
    for start, own in (({}, np.eye(3)), (axes(R), R)):
        constant = ParseDict(start | turn(25.0, about), pb.Orientation())
        expected = own @ rotation(own[about - 1], np.radians(25.0)).T
        found = axes_at(constant, points, {})
        assert found.shape == (4, 1, 3, 3)
        np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), atol=1e-14)
        varied = ParseDict(start | turn("c * x", about), pb.Orientation())
        found = axes_at(varied, points, {"c": 40.0})
        expected = own @ rotation(own[about - 1], np.radians(40.0 * points[2, 3, 0])).T
        np.testing.assert_allclose(found[2, 3], expected, atol=1e-14)


def test_axes_follow_a_cylinder():
    points = np.random.default_rng(2).uniform(size=(2, 3, 3))
    found = axes_at(ParseDict(cylinder([0.0, 0.0, 9.0], [0.0, 0.0, 4.0]), pb.Orientation()), points, {})
    angle = np.arctan2(points[..., 1], points[..., 0])
    zero = np.zeros_like(angle)
    radial = np.stack([np.cos(angle), np.sin(angle), zero], axis=-1)
    around = np.stack([-np.sin(angle), np.cos(angle), zero], axis=-1)
    along = np.broadcast_to([0.0, 0.0, 1.0], radial.shape)
    np.testing.assert_allclose(found, np.stack([radial, around, along], axis=-2), atol=1e-14)
