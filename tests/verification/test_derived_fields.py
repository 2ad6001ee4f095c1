"""Fields that are formed of others: invariants, principal directions, energy density, gradients; means over cells."""

import meshio
import numpy as np
import pytest

from dougong.solver.elements import load_reference
from dougong.solver.physics import _tensors as tensors
from mapped import mapped, rotation
from meshgen import box, mixed, plate
from solving import elastic, heat, kinematics, solve, value, vector

HELD = {"region": "x0", "fixed": {}}
INVARIANTS = ("von_mises", "tresca", "max_shear", "hydrostatic_stress", "principal_stress", "principal_strain")


def asked(*names, at=""):
    place = {"location": f"LOCATION_{at}"} if at else {}
    return {"fields": [{"name": name} | place for name in names]}


def volumes(mesh):
    """Volume of each cell."""
    found = []
    for block in mesh.blocks:
        at = load_reference(block.type.name)
        J = np.einsum("qaj,nai->nqij", at.dN, mesh.points[block.nodes])
        found.append(np.linalg.det(J) @ at.W)
    return np.concatenate(found)


def test_invariants_of_known_states():
    # xx, yy, zz, xy, yz, zx: tension, pure shear, pressure.
    states = np.array([[5.0, 0, 0, 0, 0, 0], [0, 0, 0, 3.0, 0, 0], [-2.0, -2.0, -2.0, 0, 0, 0]])
    np.testing.assert_allclose(tensors.tresca(states)[:, 0], [5, 6, 0], atol=1e-12)
    np.testing.assert_allclose(tensors.max_shear(states)[:, 0], [2.5, 3, 0], atol=1e-12)
    np.testing.assert_allclose(tensors.hydrostatic(states)[:, 0], [5 / 3, 0, -2], atol=1e-12)
    # Engineering shear strain 2 e_xy = 3: principal strains +-1.5.
    np.testing.assert_allclose(tensors.principal_strain(states)[1], [1.5, 0, -1.5], atol=1e-12)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(tensors.direction(0)(states[1]), [half, half, 0], atol=1e-12)
    np.testing.assert_allclose(np.abs(tensors.direction(2)(states[1])), [half, half, 0], atol=1e-12)


def test_principal_values_and_directions_make_the_tensor():
    stress = np.random.default_rng(2).normal(size=(50, 6))
    values = tensors.principal(stress)
    axes = np.stack([tensors.direction(k)(stress) for k in range(3)], axis=-1)
    again = np.einsum("nik,nk,njk->nij", axes, values, axes)
    np.testing.assert_allclose(again, tensors.matrix(stress), atol=1e-12)
    assert (np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1) > 0).all()


def test_rotating_the_model_turns_directions_and_leaves_invariants():
    names = (*INVARIANTS, "energy_density", *(f"principal_direction_{k}" for k in (1, 2, 3)))
    load = np.array([3.0, -1.0, 2.0])
    mesh = box("hex20", (3, 2, 2), (3.0, 1.0, 1.0))
    turn = rotation((1.0, 2.0, 3.0), 0.7)

    def run(mesh, force):
        loads = [{"region": "x1", "totalForce": vector(**dict(zip("xyz", force, strict=True)))}]
        return solve(mesh, elastic(conditions=[HELD], loads=loads, outputs=asked(*names)))

    straight, turned = run(mesh, load), run(mapped(mesh, lambda x: x @ turn.T), turn @ load)
    for name in (*INVARIANTS, "energy_density"):
        a, b = straight.field(name), turned.field(name)
        assert np.abs(a - b).max() < 1e-8 * np.abs(a).max(), name
    values = straight.field("principal_stress")
    apart = np.min(-np.diff(values, axis=1), axis=1) > 0.01 * np.abs(values).max()
    assert apart.sum() > 40
    for k in (1, 2, 3):
        name = f"principal_direction_{k}"
        along = np.einsum("ni,ni->n", straight.field(name) @ turn.T, turned.field(name))
        np.testing.assert_allclose(np.abs(along[apart]), 1.0, atol=1e-9)


@pytest.mark.parametrize("mesh", [mixed(2, distort=0.2), box("tet4", (3, 2, 2)), box("hex27")])
def test_energy_density_adds_up_to_the_strain_energy(mesh):
    loads = [{"region": "x1", "traction": vector(x=1.0, z=-0.3)}]
    given = elastic(conditions=[HELD], loads=loads, outputs=asked("energy_density", at="CELL"))
    ended = solve(mesh, given)
    total = ended.field("energy_density", "cell")[:, 0] @ volumes(mesh)
    assert total == pytest.approx(ended.step.balance.internal_energy, rel=1e-11)


@pytest.mark.parametrize("kind", ["plane_stress", "plane_strain", "axisymmetric"])
def test_energy_density_in_the_plane(kind):
    mesh = plate("quad4", (4, 3))
    more = {"thickness": 0.5} if kind != "axisymmetric" else {}
    given = elastic(
        conditions=[{"region": "y0", "fixed": {}}],
        loads=[{"region": "y1", "traction": vector(x=0.2, y=1.0)}],
        sections=kinematics(kind, **more),
        outputs=asked("energy_density", at="INTEGRATION_POINT"),
    )
    ended = solve(mesh, given)
    at = load_reference("quad4")  # the same points as for stiffness
    J = np.einsum("qaj,nai->nqij", at.dN, mesh.points[mesh.blocks[0].nodes])
    radius = mesh.points[mesh.blocks[0].nodes, 0] @ at.N.T
    measure = np.linalg.det(J) * at.W * (2 * np.pi * radius if kind == "axisymmetric" else 0.5)
    total = ended.field("energy_density", "point")[:, 0] @ measure.ravel()
    assert total == pytest.approx(ended.step.balance.internal_energy, rel=1e-12)


def test_gradient_and_magnitude_of_heat():
    mesh = plate("quad8", (3, 3), distort=0.3)
    ends = [{"region": "x0", "temperature": value(0.0)}, {"region": "x1", "temperature": value(3.0)}]
    ended = solve(mesh, heat(k=5.0, conditions=ends, outputs=asked("temperature_gradient", "heat_flux_magnitude")))
    np.testing.assert_allclose(ended.field("temperature_gradient"), np.tile([3.0, 0.0], (mesh.n_nodes, 1)), atol=1e-10)
    np.testing.assert_allclose(ended.field("heat_flux_magnitude"), 15.0, atol=1e-9)


@pytest.mark.mpi
def test_cell_means_are_the_same_on_every_number_of_ranks_and_in_the_vtu():
    mesh = mixed(1, n=(2, 2, 2))
    given = elastic(
        conditions=[HELD],
        loads=[{"region": "x1", "traction": vector(z=1.0)}],
        outputs=asked("stress", "von_mises", "energy_density", at="CELL") | {"vtu": True},
        solver={"method": "METHOD_DIRECT"},
    )
    one = solve(mesh, given)
    written = meshio.read(one.directory / "results" / "result.vtu").cell_data
    for name in ("stress", "von_mises", "energy_density"):
        mine = one.field(name, "cell")
        assert len(mine) == sum(len(b.nodes) for b in mesh.blocks)
        np.testing.assert_array_equal(np.concatenate(written[name]).reshape(mine.shape), mine)
        np.testing.assert_allclose(mine, one.field(name, "cell"))
    np.testing.assert_allclose(tensors.von_mises(one.field("stress", "cell")), one.field("von_mises", "cell"))
    for ranks in (2, 3):
        several = solve(mesh, given, ranks)
        for name in ("stress", "von_mises", "energy_density"):
            a, b = one.field(name, "cell"), several.field(name, "cell")
            assert np.abs(a - b).max() < 1e-9 * np.abs(a).max()
