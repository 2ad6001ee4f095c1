"""What every physics must be. Runs over each one found; a new physics needs no new test here."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from google.protobuf.message import Message

from dougong.meshes.cells import CELL_TYPES
from dougong.solver import kernels
from dougong.solver.assemble import _FUSED, assemble
from dougong.solver.conditions import ConstraintBuilder
from dougong.solver.elements import SOLVABLE, NodalBasis, stiffness_reference
from dougong.solver.laws.laws import law_of
from dougong.solver.loads import element_matrices
from dougong.solver.physics import Physics, all_physics
from dougong.solver.procedures import all_procedures
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import options_pb2
from meshgen import box, plate
from solving import model_of

ALL = pytest.mark.parametrize("physics", all_physics(), ids=lambda p: p.NAME)
RING = pb.Section.KINEMATICS_AXISYMMETRIC
IN_EACH_DIMENSION = pytest.mark.parametrize(
    ("physics", "dim"), [pytest.param(p, d, id=f"{p.NAME}-{d}d") for p in all_physics() for d in p.DIMENSIONS]
)


def meanings(dim: int) -> list[int]:
    """What a mesh of a dimension may stand for."""
    return [0] if dim == 3 else pb.Section.Kinematics.values()[1:]


FOR_EACH_KINEMATICS = pytest.mark.parametrize(
    ("physics", "dim", "kinematics"),
    [
        pytest.param(p, d, k, id=f"{p.NAME}-{d}d-{pb.Section.Kinematics.Name(k)}")
        for p in all_physics()
        for d in p.DIMENSIONS
        for k in meanings(d)
    ],
)
ON_EACH_CELL = pytest.mark.parametrize(
    ("physics", "cell", "kinematics"),
    [
        pytest.param(p, c, k, id=f"{p.NAME}-{c}-{pb.Section.Kinematics.Name(k)}")
        for p in all_physics()
        for c in SOLVABLE
        if CELL_TYPES[c].dim in p.DIMENSIONS
        for k in meanings(CELL_TYPES[c].dim)
    ],
)


#: Constants that cannot be given beside others.
ALTERNATIVES = ("orthotropic", "anisotropic", "orthotropic_conductivity")


def kinds(message: type[Message], oneof: str) -> set[str]:
    """Fields of a oneof."""
    return {field.name for field in message.DESCRIPTOR.oneofs_by_name[oneof].fields}


def material() -> pb.Material:
    """A material of which every constant is 0.3: positive, and possible as a Poisson's ratio too."""
    made = pb.Material()

    def fill(message: Message) -> None:
        for field in message.DESCRIPTOR.fields:
            if field.name in ALTERNATIVES:
                continue
            if isinstance(message, pb.Quantity):
                message.value = 0.3
            elif field.message_type is None:
                setattr(message, field.name, 0.3)
            else:
                fill(getattr(message, field.name))

    fill(made)
    return made


@dataclass(frozen=True)
class Cell:
    """One crooked cell: its nodes, and the gradients of the shape functions at its integration points."""

    points: np.ndarray  # (n, dim)
    basis: NodalBasis
    gradients: np.ndarray  # (nq, n, dim)


def crooked(name: str, components: int) -> Cell:
    """A cell with displaced nodes, those between the corners too."""
    reference = stiffness_reference(name)
    rng = np.random.default_rng(5)
    points = np.array(reference.type.reference)
    points = points + rng.uniform(-0.04, 0.04, points.shape)
    points[:, 0] += 0.5  # away from the axis of symmetry that the mesh may have
    basis = NodalBasis(reference, points, np.arange(len(points))[None], components)
    J = np.einsum("qaj,ai->qij", reference.dN, points)
    assert np.linalg.det(J).min() > 0
    return Cell(points, basis, np.einsum("qaj,qji->qai", reference.dN, np.linalg.inv(J)))


def width(physics: Physics, dim: int) -> int:
    return max(1, len(physics.components(dim)))


def law(physics: Physics, dim: int, kinematics: int) -> np.ndarray:
    """The constitutive matrix that the form takes."""
    return law_of(physics, material(), dim, kinematics).form[0, 0]


def solid_flux(
    physics: Physics, gradients: np.ndarray, kinematics: int, hoop: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of the solid, and flux, from the gradients of the model; about an axis there is a hoop strain."""
    if kinematics == RING and hoop is None:
        hoop = np.zeros(gradients.shape[:2])
    dim, n = gradients.shape[-1], len(gradients)
    of_cells = law_of(physics, material(), dim, kinematics)[np.zeros(n, dtype=int)]
    complete = physics.completed(of_cells.embedding, gradients, hoop)
    return complete, physics.flux(of_cells.coefficient, complete)


def stiffness(physics: Physics, cell: Cell, kinematics: int = 0) -> np.ndarray:
    """The element matrix, unknowns by node and then component."""
    C = law(physics, cell.points.shape[1], kinematics)
    at_points = np.broadcast_to(C[..., None, None], (*C.shape, *cell.basis.dx.shape))
    form = physics.RING_STIFFNESS if kinematics == RING else physics.STIFFNESS
    return element_matrices(form, cell.basis, coefficient=at_points)[0]


def test_names_are_unique():
    names = [p.NAME for p in all_physics()]
    assert len(set(names)) == len(names) > 0


@ALL
def test_procedures(physics):
    assert physics.NAME.isidentifier()
    assert physics.PROCEDURES
    assert set(physics.PROCEDURES) <= kinds(pb.Step, "procedure")
    assert {run.procedure for run in physics.PROCEDURES.values()} <= {p.NAME for p in all_procedures()}


@ALL
def test_conditions_and_loads_are_those_of_the_contract(physics):
    assert physics.CONDITIONS
    assert set(physics.CONDITIONS) <= kinds(pb.Condition, "kind")
    assert set(physics.LOADS) <= kinds(pb.Load, "kind")
    assert physics.LOAD_REGIONS.keys() == physics.LOADS.keys()
    assert set(physics.LOAD_REGIONS.values()) <= {"facets", "nodes", "cells", "body", "point"}
    assert physics.LOADS.keys() >= physics.RESTRAINING_LOADS
    assert all(map(callable, (*physics.CONDITIONS.values(), *physics.LOADS.values())))


@ALL
def test_dimensions(physics):
    assert physics.DIMENSIONS
    assert set(physics.DIMENSIONS) <= {2, 3}
    assert len(set(physics.DIMENSIONS)) == len(physics.DIMENSIONS)


@ALL
def test_fields_are_described(physics):
    fields = physics.FIELDS
    assert {physics.UNKNOWN, "reaction"} <= fields.keys()
    assert set(physics.DEFAULT_FIELDS) <= fields.keys()
    assert fields[physics.UNKNOWN].components == physics.components(3) == fields["reaction"].components
    for name, spec in fields.items():
        assert spec.dimension in options_pb2.Dimension.values()
        assert spec.dimension != options_pb2.DIMENSION_UNSPECIFIED
        assert len(set(spec.components)) == len(spec.components)
        # It comes from the solution, from the flux, or from another field that does.
        ways = [
            name in (physics.UNKNOWN, "reaction", "constraint_force"),
            spec.at_points is not None,
            spec.from_field is not None,
        ]
        assert sum(ways) == 1
        if spec.from_field is not None:
            assert fields[spec.from_field[0]].at_points is not None


@FOR_EACH_KINEMATICS
def test_fields_have_the_shape_they_say(physics, dim, kinematics):
    n, nq, nc = 3, 4, width(physics, dim)
    gradients = np.random.default_rng(1).normal(size=(n, nq, nc, dim))
    gradients, flux = solid_flux(physics, gradients, kinematics)
    assert flux.shape == gradients.shape
    values = {}
    for name, spec in physics.FIELDS.items():
        if spec.at_points is not None:
            values[name] = spec.at_points(gradients, flux)
            wide = dim if spec.components == ("x", "y", "z") else spec.width
            assert values[name].shape == (n, nq, wide), name
    for name, spec in physics.FIELDS.items():
        if spec.from_field is not None:
            base = values[spec.from_field[0]]
            assert spec.from_field[1](base).shape == (n, nq, spec.width), name
            assert spec.from_field[1](base[0, 0]).shape == (spec.width,), name


@IN_EACH_DIMENSION
def test_components(physics, dim):
    assert physics.components(dim) in ((), ("x", "y", "z")[:dim])


@FOR_EACH_KINEMATICS
def test_coefficient_is_symmetric_and_positive(physics, dim, kinematics):
    C = law_of(physics, material(), dim, kinematics).coefficient[0, 0]
    assert C.dtype == np.float64
    np.testing.assert_array_equal(C, C.T)
    reduced = law(physics, dim, kinematics)
    np.testing.assert_allclose(reduced, reduced.T, rtol=1e-14)
    assert np.linalg.eigvalsh(reduced).min() > 0


@ALL
def test_a_material_is_checked(physics):
    assert physics.check_material(material(), "materials.m") == []
    found = physics.check_material(pb.Material(), "materials.m")
    assert found
    assert all(v.field.startswith("materials.m.") and v.reason == "MATERIAL_CONSTANT_MISSING" for v in found)


@ON_EACH_CELL
def test_free_modes_have_no_flux(physics, cell, kinematics):
    made = crooked(cell, width(physics, CELL_TYPES[cell].dim))
    names, modes = physics.free_modes(made.points, kinematics == RING)
    assert modes.shape == (len(made.points), width(physics, CELL_TYPES[cell].dim), len(names))
    assert len(set(names)) == len(names)
    gradients = np.einsum("acm,qai->mqci", modes, made.gradients)
    C = law_of(physics, material(), CELL_TYPES[cell].dim, kinematics).coefficient
    _, flux = solid_flux(physics, gradients, kinematics)
    assert np.abs(flux).max() < 1e-13 * np.abs(C).max()


@ON_EACH_CELL
def test_stiffness_is_positive_but_for_the_free_modes(physics, cell, kinematics):
    made = crooked(cell, width(physics, CELL_TYPES[cell].dim))
    K = stiffness(physics, made, kinematics)
    scale = np.abs(K).max()
    assert np.abs(K - K.T).max() < 1e-13 * scale
    modes = physics.free_modes(made.points, kinematics == RING)[1].reshape(len(K), -1)
    assert np.linalg.matrix_rank(modes) == modes.shape[1]
    assert np.abs(K @ modes).max() < 1e-12 * scale
    # The rest is positive: no motion without energy beside the free ones, from too few integration points for example.
    values = np.linalg.eigvalsh((K + K.T) / 2)
    assert values[0] > -1e-13 * values[-1]
    assert values[modes.shape[1]] > 1e-6 * values[-1]


@ON_EACH_CELL
def test_flux_is_the_one_of_the_form(physics, cell, kinematics):
    """Energy by the form and by flux and gradients: u . K u = ∫ flux(∇u) : ∇u."""
    dim = CELL_TYPES[cell].dim
    made = crooked(cell, width(physics, dim))
    u = np.random.default_rng(2).normal(size=(len(made.points), width(physics, dim)))
    gradients = np.einsum("ac,qai->qci", u, made.gradients)[None]
    hoop = None
    if kinematics == RING:
        N = stiffness_reference(cell).N
        hoop = ((N @ u[:, 0]) / (N @ made.points[:, 0]))[None]
    gradients, flux = solid_flux(physics, gradients, kinematics, hoop)
    energy = np.einsum("nqci,nqci,nq->", flux, gradients, made.basis.dx)
    assert u.ravel() @ stiffness(physics, made, kinematics) @ u.ravel() == pytest.approx(energy, rel=1e-12)


@ON_EACH_CELL
def test_the_kernel_is_equal_to_the_form(physics, cell, kinematics, monkeypatch):
    if not physics.KERNEL:
        pytest.skip("no kernel")
    assert physics.KERNEL in _FUSED
    if not kernels.available():
        pytest.skip("the kernels are not built")
    if kinematics == RING:
        pytest.skip("no kernel about an axis")
    dim = CELL_TYPES[cell].dim
    mesh = plate(cell, (2, 2), distort=0.3, curve=0.2) if dim == 2 else box(cell, (1, 1, 1), distort=0.3, curve=0.2)
    step = pb.Step(name="s", **{next(iter(physics.PROCEDURES)): {}})
    section = pb.Section(material="m", kinematics=kinematics)
    given = pb.Analysis(materials={"m": material()}, sections=[section], steps=[step])
    model = model_of(mesh, given)
    constraints = ConstraintBuilder(model).run()
    rhs = np.zeros((model.part.n_local, model.components))
    fused = assemble(model, constraints, rhs, []).matrix
    monkeypatch.setattr(kernels, "available", lambda: False)
    plain = assemble(model, constraints, rhs, []).matrix
    np.testing.assert_array_equal(fused.indices, plain.indices)
    assert np.abs(fused.values - plain.values).max() < 1e-13 * np.abs(plain.values).max()


def test_a_wrong_physics_is_noticed():
    """The tests above can fail: a motion that is not free has flux; one integration point gives false free motions."""
    physics = next(p for p in all_physics() if p.NAME == "elasticity")
    made = crooked("hex8", 3)
    K = stiffness(physics, made)
    modes = physics.free_modes(made.points)[1].reshape(len(K), -1)
    bent = modes.copy()
    bent[:, 3] = np.abs(bent[:, 3])
    assert np.abs(K @ bent).max() > 1e-3 * np.abs(K).max()
    one_point = replace(stiffness_reference("hex8"), X=np.full((3, 1), 0.5), W=np.ones(1))
    N = np.full((1, 8), 1 / 8)
    corners = np.array(CELL_TYPES["hex8"].reference)
    dN = ((corners - 0.5) / 2)[None]
    basis = NodalBasis(replace(one_point, N=N, dN=dN), made.points, np.arange(8)[None], 3)
    values = np.linalg.eigvalsh(stiffness(physics, replace(made, basis=basis)))
    assert values[6] < 1e-12 * values[-1]
