"""Bodies under the pressure of a fluid at rest.

A body as heavy as the fluid around it has the stress -gamma h everywhere, h the depth (hydrostatics); a body that is
submerged is lifted by the weight of the fluid it displaces (Archimedes); a wall of height h and width w that holds
water takes gamma w h^2 / 2, at h / 3 above its foot. Quadratic cells contain the first, so it is exact (1e-9).
"""

import numpy as np
import pytest

from mapped import mapped, rotation
from meshgen import box, plate
from solving import elastic, kinematics, model_of, solve, value, vector

GAMMA, SURFACE = 9810.0, 2.0
ALL_FACES = ("x0", "x1", "y0", "y1", "z0", "z1")


def point(*x):
    return {"coordinates": list(x)}


def three_points(mesh, dim, axisymmetric=False):
    """Conditions that hold a rigid body and nothing else."""
    corner = {"kind": "KIND_NODES", "sphere": {"center": point(*mesh.points[0]), "radius": 1e-6}}
    far = mesh.points[np.argmax(mesh.points[:, 0] - mesh.points[:, 1:].sum(axis=1))]
    high = mesh.points[np.argmax(mesh.points[:, 1] - mesh.points[:, 0] - mesh.points[:, 2:].sum(axis=1))]
    regions = {"a": corner}
    for name, p in (("b", far), ("c", high)):
        regions[name] = {"kind": "KIND_NODES", "sphere": {"center": point(*p), "radius": 1e-6}}
    if axisymmetric:
        return regions, [{"region": "a", "displacement": vector(y=0.0)}]
    held = [{"region": "a", "fixed": {}}, {"region": "b", "displacement": vector(y=0.0)}]
    if dim == 3:
        held[1] = {"region": "b", "displacement": vector(y=0.0, z=0.0)}
        held.append({"region": "c", "displacement": vector(z=0.0)})
    return regions, held


@pytest.mark.parametrize("cell_type", ["tet10", "hex20", "wedge15", "hex27"])
@pytest.mark.parametrize("ranks", [1, pytest.param(3, marks=pytest.mark.mpi)])
def test_a_body_as_heavy_as_the_fluid(cell_type, ranks):
    if ranks > 1 and cell_type != "tet10":
        pytest.skip("one cell type is enough")
    # Serendipity cells have all quadratic functions only where they are straight boxes.
    mesh = box(cell_type, (2, 2, 2), distort=0.2 if cell_type in ("tet10", "hex27") else 0.0)
    regions, held = three_points(mesh, 3)
    fluid = {"surface": point(7, 0, SURFACE), "down": point(0, 0, -3), "specificWeight": value(GAMMA)}
    loads = [{"region": r, "hydrostatic": fluid} for r in ALL_FACES]
    loads.append({"gravity": vector(z=-9.81)})
    given = elastic(
        1e9, 0.25, regions=regions, conditions=held, loads=loads, material={"density": value(1000.0)},
        solver={"method": "METHOD_DIRECT"},
    )  # fmt: skip
    solution = solve(mesh, given, ranks)
    wanted = np.zeros((mesh.n_nodes, 6))
    wanted[:, :3] = -GAMMA * (SURFACE - mesh.points[:, 2:])
    assert np.abs(solution.field("stress") - wanted).max() < 1e-8 * GAMMA * SURFACE
    assert np.abs(solution.field("reaction")).max() < 1e-8 * GAMMA


# About an axis the three points of tri6 do not integrate the stiffness of this field exactly.
@pytest.mark.parametrize(
    ("cell_type", "meaning"),
    [("quad8", "plane_strain"), ("tri6", "plane_strain"), ("quad8", "axisymmetric"), ("quad9", "axisymmetric")],
)
def test_the_same_in_the_plane(cell_type, meaning):
    axisymmetric = meaning == "axisymmetric"
    mesh = plate(cell_type, (3, 3))
    regions, held = three_points(mesh, 2, axisymmetric)
    fluid = {"down": point(0, -1), "density": value(1000.0), "gravity": value(9.81), "level": value(SURFACE)}
    loads = [{"region": r, "hydrostatic": fluid} for r in ("x0", "x1", "y0", "y1") if not (axisymmetric and r == "x0")]
    loads.append({"gravity": vector(y=-9.81)})
    nu = 0.25
    given = elastic(
        1e9, nu, regions=regions, conditions=held, loads=loads, material={"density": value(1000.0)},
        sections=kinematics(meaning),
    )  # fmt: skip
    stress = solve(mesh, given).field("stress")
    p = GAMMA * (SURFACE - mesh.points[:, 1])
    zz = p if axisymmetric else 2 * nu * p
    wanted = np.column_stack([-p, -p, -zz, 0 * p, 0 * p, 0 * p])
    assert np.abs(stress - wanted).max() < 1e-8 * GAMMA * SURFACE


def resultant(mesh, given):
    """Sum of the nodal loads and of their moments about the origin."""
    from dougong.solver.loads import LoadBuilder

    model = model_of(mesh, given)
    builder = LoadBuilder(model)
    builder.run()
    n = model.part.n_owned
    f = builder.rhs[:n]
    return model.part.comm.sum(f.sum(axis=0)), model.part.comm.sum(np.cross(model.part.points[:n], f).sum(axis=0))


@pytest.mark.parametrize("cell_type", ["tet4", "tet10", "hex8", "hex20", "pyramid13"])
def test_a_submerged_body_is_lifted_by_what_it_displaces(cell_type):
    turn = rotation((1, 2, 3), 0.7)
    mesh = mapped(box(cell_type, (2, 2, 2), distort=0.3), lambda p: (p * [1, 0.5, 0.25]) @ turn.T)
    down = np.array([2.0, -1.0, 2.0]) / 3
    fluid = {"surface": point(*(-5 * down)), "down": point(*down), "specificWeight": value(GAMMA)}
    loads = [{"region": r, "hydrostatic": fluid} for r in ALL_FACES]
    force, moment = resultant(mesh, elastic(loads=loads, conditions=[{"region": "x0", "fixed": {}}]))
    lift = -GAMMA * 0.125 * down
    centre = turn @ [0.5, 0.25, 0.125]
    np.testing.assert_allclose(force, lift, rtol=1e-10, atol=1e-10 * GAMMA)
    np.testing.assert_allclose(moment, np.cross(centre, lift), rtol=1e-9, atol=1e-9 * GAMMA)


@pytest.mark.parametrize("cell_type", ["tet4", "hex8", "hex20"])
@pytest.mark.parametrize("filled", [1.0, 0.5])
def test_a_wall_that_holds_water(cell_type, filled):
    # The surface stands on a line of the mesh: pressure is linear on each facet.
    height, width = 4.0, 3.0
    mesh = mapped(box(cell_type, (1, 2, 4)), lambda p: p * [0.5, width, height])
    fluid = {"down": point(0, 0, -1), "specificWeight": value(GAMMA), "level": {"expression": "f*h*t"}}
    given = elastic(
        loads=[{"region": "x0", "hydrostatic": fluid}],
        conditions=[{"region": "z0", "fixed": {}}],
        parameters={"f": filled, "h": height},
    )
    force, moment = resultant(mesh, given)
    h = filled * height
    np.testing.assert_allclose(force, [GAMMA * width * h**2 / 2, 0, 0], rtol=1e-12, atol=1e-9)
    assert moment[1] == pytest.approx(GAMMA * width * h**2 / 2 * h / 3, rel=1e-12)
    reaction = solve(mesh, given).step.reactions[0].sum
    np.testing.assert_allclose(reaction, -force, rtol=1e-7, atol=1e-7 * np.abs(force).max())


def test_nothing_presses_above_the_surface():
    mesh = box("hex8", (1, 1, 1))
    fluid = {"surface": point(0, 0, -0.1), "down": point(0, 0, -1), "specificWeight": value(GAMMA)}
    given = elastic(conditions=[{"region": "z0", "fixed": {}}], loads=[{"region": "x0", "hydrostatic": fluid}])
    assert not resultant(mesh, given)[0].any()
