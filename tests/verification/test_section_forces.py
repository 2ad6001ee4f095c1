"""What acts through a cut is in equilibrium with the loads beyond it, on any mesh."""

import numpy as np
import pytest

from dougong.meshes.mesh import Mesh, Region, RegionKind
from meshgen import box, mixed, plate
from solving import check_model, elastic, heat, kinematics, solve, value, vector

HELD = {"region": "x0", "fixed": {}}
TIP = np.array([3.0, -7.0, 2.0])
DIRECT = {"method": "METHOD_DIRECT"}


def facets_at(mesh, place, axis=0, both=False, first=True):
    """The facets in a plane across the body: of the cells before it, or behind it, or of both."""
    entries, start = [], 0
    for block in mesh.blocks:
        for number, (_, corner) in enumerate(block.type.facets):
            x = mesh.points[block.nodes][:, list(corner)]
            on = np.isclose(x[..., axis], place).all(axis=1)
            before = mesh.points[block.nodes].mean(axis=1)[:, axis] < place
            rows = np.flatnonzero(on & (both | (before == first)))
            entries += [(start + r, number) for r in rows]
        start += len(block.nodes)
    return np.array(sorted(entries), dtype=np.int64)


def with_regions(mesh, **regions):
    made = [
        Region(n, RegionKind.CELLS if np.ndim(e) == 1 else RegionKind.FACETS, np.asarray(e)) for n, e in regions.items()
    ]
    return Mesh(mesh.points, mesh.blocks, (*mesh.regions, *made))


def section(region, **more):
    return {"region": region, **more}


MESHES = {
    "tet10": box("tet10", (4, 2, 2), (4.0, 1.0, 1.0), distort=0.0),
    "hex20": box("hex20", (4, 2, 2), (4.0, 1.0, 1.0)),
    "mixed": mixed(2, n=(2, 2, 2), size=(4.0, 1.0, 1.0)),
    "tet4": box("tet4", (4, 2, 2), (4.0, 1.0, 1.0)),
}


@pytest.mark.mpi
@pytest.mark.parametrize("name", MESHES)
@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_an_inner_cut_carries_the_load_of_the_tip(name, ranks):
    if ranks > 1 and name in ("tet10", "tet4"):
        return
    mesh = MESHES[name]
    xs = np.unique(mesh.points[mesh.blocks[0].nodes[:, : mesh.blocks[0].type.n_corners], 0])
    place = 2.0 if np.isclose(xs, 2.0).any() else float(xs[len(xs) // 2])
    cut, back = facets_at(mesh, place), facets_at(mesh, place, first=False)
    mesh = with_regions(mesh, cut=cut, back=back)
    low, high = {"coordinates": [place - 1e-6, -1, -1]}, {"coordinates": [9, 9, 9]}
    asked = [
        section("cut"),
        section("back"),
        section("beyond"),
        section("x0", about={"coordinates": [0, 0, 0]}),
        section("x1", name="tip"),
    ]
    given = elastic(
        conditions=[HELD],
        loads=[{"region": "x1", "totalForce": vector(**dict(zip("xyz", TIP, strict=True)))}],
        regions={"beyond": {"kind": "KIND_CELLS", "box": {"min": low, "max": high}}},
        outputs={"sectionForces": asked, "momentsAbout": {"coordinates": [4.0, 0.5, 0.5]}},
        solver=DIRECT,
    )
    frame = solve(mesh, given, ranks).step.frames[0]
    found = {s.name: s for s in frame.section_forces}
    scale = np.linalg.norm(TIP)
    arm = np.array([4.0 - place, 0.0, 0.0])  # from the centroid of the cut to that of the tip
    for key, sign in (("cut", 1), ("back", -1), ("beyond", -1)):
        np.testing.assert_allclose(found[key].about, [place, 0.5, 0.5], atol=1e-12)
        np.testing.assert_allclose(found[key].sum, sign * TIP, atol=1e-8 * scale)
        np.testing.assert_allclose(found[key].moment, sign * np.cross(arm, TIP), atol=1e-8 * scale)
    np.testing.assert_allclose(found["x0"].sum, -TIP, atol=1e-8 * scale)
    np.testing.assert_allclose(found["tip"].sum, TIP, atol=1e-8 * scale)
    np.testing.assert_allclose(found["tip"].moment, 0.0, atol=1e-8 * scale)
    # The reaction is the same force; about the middle of the tip it has the moment of that at its arm.
    (reaction,) = frame.reactions
    np.testing.assert_allclose(reaction.sum, -TIP, atol=1e-8 * scale)
    np.testing.assert_allclose(reaction.about, [4.0, 0.5, 0.5])
    np.testing.assert_allclose(reaction.moment, 0.0, atol=1e-8 * scale)
    np.testing.assert_allclose(found["x0"].moment, -np.cross([4.0, 0.5, 0.5], TIP), atol=1e-7 * scale)


def test_loads_on_the_cells_beside_the_cut_are_not_counted_twice():
    """Weight and pressure everywhere: through the cut goes what acts beyond it, exactly."""
    mesh = box("hex20", (4, 2, 2), (4.0, 1.0, 1.0))
    top = facets_at(mesh, 1.0, axis=2)
    beyond = mesh.points[mesh.blocks[0].nodes].mean(axis=1)[top[:, 0], 0] > 2.0
    mesh = with_regions(mesh, cut=facets_at(mesh, 2.0), half=top[beyond])
    given = elastic(
        material={"density": value(5.0)},
        conditions=[HELD],
        loads=[
            {"gravity": vector(z=-2.0)},
            {"region": "z1", "pressure": value(3.0)},
            {"region": "x1", "totalForce": vector(x=1.0)},
        ],
        outputs={"sectionForces": [section("cut"), section("x1"), section("half")]},
        solver=DIRECT,
    )
    cut, end, half = solve(mesh, given).step.frames[0].section_forces
    # Beyond the cut there are 2 of volume and 2 of area.
    np.testing.assert_allclose(cut.sum, [1.0, 0.0, -5 * 2 * 2 - 3 * 2], atol=1e-8)
    np.testing.assert_allclose(cut.moment, [0.0, 20 + 6, 0.0], atol=1e-7)
    np.testing.assert_allclose(end.sum, [1.0, 0.0, 0.0], atol=1e-8)
    # Through half of the loaded face goes what is applied to it, though other loads act on the same cells.
    np.testing.assert_allclose(half.sum, [0.0, 0.0, -3 * 2], atol=1e-8)


def test_load_cases_and_combinations():
    mesh = box("hex8", (4, 1, 1), (4.0, 1.0, 1.0))
    mesh = with_regions(mesh, cut=facets_at(mesh, 2.0))
    given = elastic(
        material={"density": value(1.0)},
        conditions=[HELD],
        loads=[{"gravity": vector(y=-1.0)}],
        outputs={"sectionForces": [section("cut")]},
        solver=DIRECT,
    )
    step = given["steps"][0]
    step["loadCases"] = [
        {"name": "pull", "loads": [{"region": "x1", "totalForce": vector(x=4.0)}]},
        {"name": "press", "loads": [{"region": "y1", "pressure": value(0.5)}]},
    ]
    step["combinations"] = [{"name": "both", "factors": {"pull": 2.0, "press": 3.0}}]
    sums = [f.section_forces[0].sum for f in solve(mesh, given).step.frames]
    expected = [[4.0, -2.0, 0.0], [0.0, -3.0, 0.0], [8.0, -5.0, 0.0]]
    np.testing.assert_allclose(sums, expected, atol=1e-8)


def test_facets_listed_from_both_sides_need_a_normal():
    mesh = box("hex8", (4, 2, 2), (4.0, 1.0, 1.0))
    mesh = with_regions(mesh, cut=facets_at(mesh, 2.0, both=True))
    given = elastic(
        conditions=[HELD],
        loads=[{"region": "x1", "totalForce": vector(x=4.0)}],
        outputs={"sectionForces": [section("cut")]},
        solver=DIRECT,
    )
    (v,) = check_model(mesh, given).violations
    assert (v.reason, v.field) == ("SECTION_UNCLEAR", "outputs.section_forces[0].region")
    for sign in (1.0, -1.0):
        given["outputs"]["sectionForces"] = [section("cut", normal={"coordinates": [sign, 0, 0]})]
        (cut,) = solve(mesh, given).step.frames[0].section_forces
        np.testing.assert_allclose(cut.sum, [4.0 * sign, 0, 0], atol=1e-8)


def test_a_cut_that_ends_inside_is_refused():
    mesh = box("hex8", (4, 3, 3), (4.0, 1.0, 1.0))
    entries = facets_at(mesh, 2.0)
    mesh = with_regions(mesh, part=entries[:4], every=np.arange(36))
    for region, reason in (("part", "SECTION_UNCLEAR"), ("every", "SECTION_EMPTY")):
        given = elastic(conditions=[HELD], outputs={"sectionForces": [section(region)]})
        (v,) = check_model(mesh, given).violations
        assert v.reason == reason


def test_heat_flows_through_a_cut():
    """10 K over a length of 4, a source, and a film at the end."""
    mesh = plate("quad8", (8, 3), (4.0, 1.0), distort=0.0)
    mesh = with_regions(mesh, cut=facets_at(mesh, 2.0))
    film = {"coefficient": value(5.0), "ambient": value(10.0)}
    given = heat(
        k=2.0,
        sections=[{"material": "m", "thickness": value(0.5)}],
        conditions=[{"region": "x0", "temperature": value(100.0)}],
        loads=[{"heatSource": value(3.0)}, {"region": "y1", "convection": film}],
        outputs={"sectionForces": [section("cut"), section("x0")]},
        solver=DIRECT,
    )
    ended = solve(mesh, given)
    frame = ended.step.frames[0]
    cut, start = (s.sum[0] for s in frame.section_forces)
    assert not frame.section_forces[0].moment
    # All that enters at x = 0, and half of the source, less what the film takes before the cut, goes through it.
    T = ended.field("temperature")[:, 0]
    on_top = np.isclose(mesh.points[:, 1], 1.0)
    x, T = mesh.points[on_top, 0], T[on_top]
    order = np.argsort(x)
    x, T = x[order], T[order]

    def film_flow(upto):
        total = 0.0
        for k in range(0, len(x) - 2, 2):
            if x[k + 2] <= upto + 1e-9:  # Simpson is exact for quadratic functions
                total += (x[k + 2] - x[k]) / 6 * (T[k] - 10 + 4 * (T[k + 1] - 10) + T[k + 2] - 10)
        return 5.0 * 0.5 * total

    source = 3.0 * 2.0 * 0.5
    assert -cut == pytest.approx(start + source - film_flow(2.0), rel=1e-8)


def test_moments_in_the_plane_have_one_component():
    mesh = plate("quad4", (4, 2), (4.0, 1.0))
    mesh = with_regions(mesh, cut=facets_at(mesh, 2.0))
    given = elastic(
        conditions=[HELD],
        loads=[{"region": "x1", "totalForce": vector(y=6.0)}],
        sections=kinematics("plane_stress", thickness=0.1),
        outputs={"sectionForces": [section("cut")]},
        solver=DIRECT,
    )
    frame = solve(mesh, given).step.frames[0]
    np.testing.assert_allclose(frame.section_forces[0].sum, [0, 6.0], atol=1e-8)
    np.testing.assert_allclose(frame.section_forces[0].moment, [12.0], atol=1e-8)
    np.testing.assert_allclose(frame.reactions[0].moment, [-24.0], atol=1e-8)
