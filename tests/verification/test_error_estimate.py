"""The estimate of the discretisation error against exact solutions: the ratio of the two, the effectivity."""

import numpy as np
import pytest

from dougong.meshes.mesh import Mesh, Region, RegionKind
from dougong.solver import elements
from dougong.solver.loadings import Loading
from dougong.solver.outputs.error_estimate import cell_errors
from dougong.solver.state import NodalState
from meshgen import box, plate
from solving import Discrete, check_model, elastic, heat, kinematics, solve, value, vector
from verification import test_convergence as smooth

HELD = {"region": "x0", "fixed": {}}

#: Where the ratio of the estimated error to the exact one must lie, on smooth solutions.
LINEAR, QUADRATIC = (0.8, 1.1), (0.85, 1.2)


def exact_error(case, u, gradient):
    """The energy norm of the error, integrated far beyond the order of the cells."""
    model, total = case.model, 0.0
    for k, block in enumerate(model.part.blocks):
        X, W = elements.quadrature(block.type.family, 8)
        N, dN = elements.tabulate(block.type.name, X)
        x, law = case.points[block.nodes], model.law(k, slice(None))
        J = np.einsum("qaj,nai->nqij", dN, x)
        at = np.einsum("qa,nai->nqi", N, x)
        shape = np.einsum("qaj,nqji->nqai", dN, np.linalg.inv(J))
        found = np.einsum("nac,nqai->nqci", u[block.nodes], shape)
        wrong = found - gradient(at.reshape(-1, at.shape[-1])).reshape(found.shape)
        measure = np.linalg.det(J) * W
        hoop = None
        if model.axisymmetric:
            exact_u = smooth.plane_displacement(at.reshape(-1, 2)).reshape(*at.shape[:2], 2)
            hoop = (np.einsum("qa,na->nq", N, u[block.nodes][..., 0]) - exact_u[..., 0]) / at[..., 0]
            measure = measure * 2 * np.pi * at[..., 0]
        wrong = model.physics.completed(law.embedding, wrong, hoop)
        total += np.einsum("nq,nqci,nqci->", measure, model.physics.flux(law.coefficient, wrong), wrong)
    return np.sqrt(total)


def effectivity(case, exact, gradient, source):
    case.load_cells(source)
    case.prescribe(case.boundary, exact(case.points[case.boundary]))
    u = case.solve()
    loading = Loading(np.zeros_like(u), case.constraints.prescribed)
    state = NodalState(case.model, case.constraints, loading, case.extra, u)
    state.recover([case.model.physics.FLUX])
    found = cell_errors(state)
    assert sum(s.sum() for s in found.squares) == pytest.approx(found.total)
    return np.sqrt(found.total) / exact_error(case, u, gradient)


def bounds(name):
    return LINEAR if smooth.order(name) == 1 else QUADRATIC


@pytest.mark.parametrize("name", ["tri3", "quad4", "tri6", "quad8", "quad9"])
@pytest.mark.parametrize("kind", ["plane_stress", "plane_strain", "axisymmetric"])
def test_effectivity_in_the_plane(name, kind):
    n = smooth.DIVISIONS[name][1]
    force = smooth.ring_force if kind == "axisymmetric" else smooth.force_for(smooth.PLANE_LAMBDA[kind])
    mesh = smooth.beside_the_axis(name, n) if kind == "axisymmetric" else plate(name, (n, n), distort=0.2)
    case = Discrete(mesh, elastic(smooth.E, smooth.NU, sections=kinematics(kind)))
    found = effectivity(case, smooth.plane_displacement, smooth.plane_displacement_gradient, force)
    low, high = bounds(name)
    # The hoop strain is no polynomial in the cell: quadratic triangles have too few points to follow it.
    assert low < found < (1.5 if (name, kind) == ("tri6", "axisymmetric") else high)


@pytest.mark.parametrize("name", smooth.SOLIDS)
def test_effectivity_in_space(name):
    n = smooth.DIVISIONS[name][1]
    mesh = box(name, (n, n, n), distort=0.2 if smooth.order(name) == 1 else 0.0)
    case = Discrete(mesh, elastic(smooth.E, smooth.NU))
    found = effectivity(case, smooth.displacement, smooth.displacement_gradient, smooth.force_for(smooth.LAMBDA))
    low, high = bounds(name)
    assert low < found < high


@pytest.mark.parametrize("name", ["quad4", "tri6", "hex8", "tet10"])
def test_effectivity_for_heat(name):
    n = smooth.DIVISIONS[name][1]
    mesh = plate(name, (n, n)) if name in ("quad4", "tri6") else box(name, (n, n, n))
    case = Discrete(mesh, heat(smooth.K))
    found = effectivity(case, smooth.temperature, smooth.temperature_gradient, smooth.heat_source)
    low, high = bounds(name)
    assert low < found < high


def cantilever(name, n, **outputs):
    mesh = box(name, (4 * n, n, n), (4.0, 1.0, 1.0))
    loads = [{"region": "x1", "traction": vector(z=1.0)}]
    return solve(mesh, elastic(conditions=[HELD], loads=loads, outputs=outputs))


def test_the_result_says_where_to_refine():
    ended = cantilever(
        "hex8", 3, errorEstimate={"target": 0.1}, fields=[{"name": "error", "location": "LOCATION_CELL"}]
    )
    estimate = ended.step.frames[0].error
    shares = ended.field("error", "cell")[:, 0] ** 2
    assert np.sqrt(shares.sum()) == pytest.approx(estimate.relative_error, rel=1e-9)
    assert 0.1 < estimate.relative_error < 0.6
    assert estimate.target == 0.1
    # Most of the error is where the beam is held, and there smaller cells are wanted.
    first = estimate.spots[0]
    assert first.point[0] < 0.6
    assert list(first.regions) == ["x0"]
    assert shares[first.cell - 1] == pytest.approx(shares.max(), rel=1e-6)
    assert first.share > 0.05
    assert first.wanted_size < first.size == pytest.approx(1 / 3)
    assert estimate.cells_for_target > 12 * 9
    assert sum(s.share for s in estimate.spots) <= 1.0 + 1e-12


def test_the_target_is_met_by_cells_of_the_predicted_number():
    """On a smooth problem: as many cells as were predicted have about the error that was aimed at."""

    def relative(n, target):
        mesh = plate("quad4", (n, n))
        case = [{"region": r, "temperature": value(0.0)} for r in ("x0", "x1", "y0", "y1")]
        given = heat(conditions=case, loads=[{"heatSource": value(1.0)}], outputs={"errorEstimate": {"target": target}})
        return solve(mesh, given).step.frames[0].error

    coarse = relative(8, 0.05)
    assert coarse.relative_error > 0.08
    fine = relative(int(np.ceil(np.sqrt(coarse.cells_for_target))), 0.05)
    assert fine.relative_error == pytest.approx(0.05, rel=0.25)


def test_quadratic_cells_are_more_accurate_and_refining_helps():
    coarse, fine, quadratic = (
        cantilever(name, n).step.frames[0].error.relative_error for name, n in (("hex8", 2), ("hex8", 4), ("hex20", 2))
    )
    assert quadratic < fine < coarse


def test_a_jump_of_the_stress_between_materials_is_no_error():
    """Two materials side by side, stretched: the exact solution is in the space, though the stress jumps."""
    mesh = box("hex8", (2, 2, 2))
    upper = mesh.points[mesh.blocks[0].nodes].mean(axis=1)[:, 2] > 0.5
    cells = [Region(n, RegionKind.CELLS, np.flatnonzero(w)) for n, w in (("soft", ~upper), ("hard", upper))]
    mesh = Mesh(mesh.points, mesh.blocks, (*mesh.regions, *cells))
    faces = [{"region": r, "symmetry": {}} for r in ("x0", "y0", "z0")]
    given = elastic(
        nu=0.0,
        conditions=[*faces, {"region": "x1", "displacement": vector(x=1e-3)}],
        sections=[{"region": "soft", "material": "m"}, {"region": "hard", "material": "n"}],
    )
    given["materials"]["n"] = {"elastic": {"youngModulus": value(2.1e6), "poissonRatio": value(0.0)}}
    assert solve(mesh, given).step.frames[0].error.relative_error < 1e-7
    # A mere motion, and a temperature that is the same everywhere, have no error either.
    moved = elastic(conditions=[{"region": "x0", "displacement": vector(x=1.0, y=1.0, z=1.0)}])
    assert solve(mesh, moved).step.frames[0].error.relative_error == 0.0
    warm = solve(mesh, heat(conditions=[{"region": "x0", "temperature": value(300.0)}])).step.frames[0].error
    assert (warm.relative_error, len(warm.spots)) == (0.0, 0)


def test_what_is_wrong_with_outputs_is_refused():
    def reasons(**outputs):
        given = elastic(conditions=[HELD], outputs=outputs)
        return [(v.reason, v.field) for v in check_model(box("hex8"), given).violations]

    cell = {"location": "LOCATION_CELL"}
    origin = {"coordinates": [0.1, 0.1, 0.1]}
    assert not reasons(extremes=[{"region": "x1"}], fields=[{"name": "error"} | cell])
    assert reasons(fields=[{"name": "error"}]) == [("FIELD_LOCATION_NOT_AVAILABLE", "outputs.fields[0].location")]
    assert reasons(errorEstimate={"target": 1.5}) == [("ERROR_TARGET_OUT_OF_RANGE", "outputs.error_estimate.target")]
    off = reasons(errorEstimate={"off": True}, fields=[{"name": "error"} | cell])
    assert off == [("ERROR_ESTIMATE_OFF", "outputs.error_estimate.off")]
    assert reasons(probes=[{"name": "a"}]) == [("VALUE_MISSING", "outputs.probes[0].point")]
    twice = [{"name": "a", "point": origin}, {"name": "a", "point": origin}]
    assert reasons(probes=twice) == [("OUTPUT_NAME_TAKEN", "outputs.probes[1].name")]
    for name in ("reaction", "error", "temperature", "stres"):
        found = reasons(probes=[{"point": origin, "fields": [name]}])
        assert found == [("FIELD_UNKNOWN", "outputs.probes[0].fields[0]")]
    flat = reasons(probes=[{"point": {"coordinates": [0.0, 0.0]}}])
    assert flat == [("WRONG_NUMBER_OF_COORDINATES", "outputs.probes[0].point")]
    assert reasons(probes=[{"point": origin, "tolerance": -1}]) == [("VALUE_NEGATIVE", "outputs.probes[0].tolerance")]
    assert reasons(sectionForces=[{"region": "x2"}]) == [("REGION_UNKNOWN", "outputs.section_forces[0].region")]
    assert reasons(sectionForces=[{"region": "x1", "normal": {"coordinates": [0, 0, 0]}}]) == [
        ("DIRECTION_ZERO", "outputs.section_forces[0].normal")
    ]
    assert reasons(extremes=[{"region": ""}]) == [("REGION_MISSING", "outputs.extremes[0].region")]
    assert reasons(extremes=[{"region": "x1", "fields": ["error"]}]) == [
        ("FIELD_UNKNOWN", "outputs.extremes[0].fields[0]")
    ]


def test_extremes_of_a_region_are_those_of_its_nodes():
    mesh = box("hex20", (3, 2, 2), (3.0, 1.0, 1.0))
    asked = [{"region": "x1"}, {"region": "z1", "fields": ["tresca"]}]
    loads = [{"region": "x1", "traction": vector(z=1.0)}]
    given = elastic(
        conditions=[HELD],
        loads=loads,
        outputs={"extremes": asked, "fields": [{"name": "tresca"}, {"name": "von_mises"}]},
    )
    ended = solve(mesh, given)
    found = {(e.region, e.field, e.component): e for e in ended.step.region_extremes}
    for region, name, where in (
        ("x1", "von_mises", mesh.points[:, 0] == 3.0),
        ("z1", "tresca", mesh.points[:, 2] == 1.0),
    ):
        values, e = ended.field(name)[:, 0], found[region, name, ""]
        assert (e.min, e.max) == (values[where].min(), values[where].max())
        assert where[e.max_node - 1]
    assert {e.region for e in ended.step.extremes} == {""}
    assert ("x1", "tresca", "") not in found
