"""Integration and formulation of sections: what is refused, cells of one type under different rules in one model."""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dougong.meshes.mesh import Region, RegionKind
from dougong.solver import assemble as assembly
from dougong.solver import kernels
from dougong.solver.conditions import ConstraintSet
from dougong.solver.laws import strains
from dougong.solver.recover import internal_forces
from meshgen import box, plate
from schemes import section
from solving import check_model, elastic, heat, model_of, solve, vector

HELD = {"conditions": [{"region": "x0", "fixed": {}}], "loads": [{"region": "x1", "traction": vector(y=1.0, x=0.5)}]}
TEXTS = Path(__file__).parents[2] / "proto/dougong/messages/texts/elements.toml"


def given(*sections, of=elastic):
    return of(sections=list(sections), **(HELD if of is elastic else {}))


def halves(cell_type, n=(4, 2, 2)):
    """A block of which the cells of the half x < 0.5 are the region "left", the others "right"."""
    mesh = box(cell_type, n) if len(n) == 3 else plate(cell_type, n)
    centre = mesh.points[mesh.blocks[0].nodes].mean(axis=1)[:, 0]
    parts = [
        Region(name, RegionKind.CELLS, np.flatnonzero(here))
        for name, here in (("left", centre < 0.5), ("right", centre > 0.5))
    ]
    return replace(mesh, regions=(*mesh.regions, *parts))


SOLID, QUADRATIC, OTHERS = box("hex8", (2, 2, 2)), box("hex20", (1, 1, 1)), box("tet10", (1, 1, 1))
SHEET, BILINEAR = plate("quad8", (2, 2)), plate("quad4", (2, 2))
BOTH = section(integration="reduced", formulation="mixed")
TABLE = [
    ("SCHEME_UNKNOWN", "integration", section(integration=9), SOLID),
    ("SCHEME_UNKNOWN", "formulation", section(formulation=9), SOLID),
    ("REDUCED_NOT_PLAIN", "integration", BOTH, QUADRATIC),
    ("FORMULATION_OF_PLANE_STRESS", "formulation", section(kinematics="plane_stress", formulation="mixed"), SHEET),
    ("FORMULATION_OF_PLANE_STRESS", "formulation", section(kinematics="plane_stress", formulation="b_bar"), BILINEAR),
    ("CELLS_WITHOUT_SCHEME", "integration", section(integration="reduced"), SOLID),
    ("CELLS_WITHOUT_SCHEME", "integration", section(integration="reduced"), OTHERS),
    ("CELLS_WITHOUT_SCHEME", "formulation", section(formulation="mixed"), SOLID),
    ("CELLS_WITHOUT_SCHEME", "formulation", section(formulation="b_bar"), box("wedge6", (1, 1, 1))),
    ("CELLS_WITHOUT_SCHEME", "formulation", section(formulation="incompatible_modes"), QUADRATIC),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "field", "one", "mesh"), TABLE, ids=[f"{r[0]}-{k}" for k, r in enumerate(TABLE)])
def test_refused(reason, field, one, mesh):
    (found,) = [v for v in check_model(mesh, given(one)).violations if v.field == f"sections[0].{field}"]
    assert found.reason == reason
    assert found.text_zh
    assert "{" not in found.text + found.text_zh
    if reason == "CELLS_WITHOUT_SCHEME":
        assert len(found.cell_ids) == len(mesh.blocks[0].nodes)
    solution = solve(mesh, given(one))
    assert solution.failure.reason == "INVALID_MODEL"
    assert reason in [v.reason for v in solution.failure.violations]


def test_every_reason_is_reached():
    assert set(tomllib.loads(TEXTS.read_text())) == {row[0] for row in TABLE}


def test_the_notice_on_stiff_cells_names_what_helps_and_goes_with_it():
    (found,) = check_model(SOLID, given(section())).notices
    assert "incompatible_modes" in found.text
    assert "incompatible_modes" in found.text_zh
    assert not check_model(SOLID, given(section(formulation="incompatible_modes"))).notices
    assert check_model(SOLID, given(section(formulation="b_bar"))).notices


def test_heat_knows_no_formulation():
    hot = {"conditions": [{"region": "x0", "temperature": {"value": 1.0}}]}
    hot["loads"] = [{"region": "x1", "heatFlux": {"value": 1.0}}]
    plain, other = (solve(SOLID, heat(sections=[section(**s)], **hot)) for s in ({}, {"formulation": "b_bar"}))
    assert (plain.field("temperature") == other.field("temperature")).all()


MIXTURES = [
    ("hex20", {"integration": "reduced"}, {}),
    ("hex20", {"formulation": "mixed"}, {"integration": "reduced"}),
    ("hex8", {"formulation": "incompatible_modes"}, {}),
    ("hex8", {"formulation": "b_bar"}, {"formulation": "incompatible_modes"}),
]


@pytest.mark.parametrize(("cell_type", "left", "right"), MIXTURES)
def test_matrix_is_the_sum_of_both_parts_and_gives_the_forces(cell_type, left, right):
    """Of two sections of one block each has the rows of its own cells; K u and the forces of the stresses are equal."""
    mesh = halves(cell_type)
    model = model_of(mesh, given(section(region="left", **left), section(region="right", **right)))
    assert len(list(model.alike(0))) == 2
    K = matrix_of(model, mesh.n_nodes)
    assert np.abs(K - K.T).max() <= 1e-13 * np.abs(K).max()
    total, block = np.zeros_like(K), mesh.blocks[0]
    for name, scheme in (("left", left), ("right", right)):
        part = replace(mesh, blocks=(replace(block, nodes=block.nodes[region(mesh, name)]),), regions=())
        total += matrix_of(model_of(part, elastic(sections=[section(**scheme)])), mesh.n_nodes)
    assert np.abs(K - total).max() <= 1e-12 * np.abs(K).max()
    u = np.random.default_rng(5).normal(size=(mesh.n_nodes, 3))
    force = internal_forces(model, u[model.part.nodes])
    wanted = (K @ u.ravel()).reshape(-1, 3)[model.part.nodes]
    assert np.abs(force - wanted).max() <= 1e-12 * np.abs(force).max()


def region(mesh, name):
    return next(r.entries for r in mesh.regions if r.name == name)


def matrix_of(model, n_nodes):
    """K of all nodes in the order of the mesh, dense."""
    nc, n = model.components, model.part.n_local
    M = assembly.assemble(model, ConstraintSet.none(n, nc), np.zeros((n, nc)), []).matrix
    K = np.zeros((n_nodes, nc, n_nodes, nc))
    rows = np.repeat(np.arange(M.n_rows), np.diff(M.indptr))
    for row, column, values in zip(model.part.nodes[rows], model.part.nodes[M.indices], M.values, strict=True):
        K[row, :, column] = values
    return K.reshape(n_nodes * nc, n_nodes * nc)


@pytest.mark.parametrize(("cell_type", "left", "right"), MIXTURES)
def test_without_kernels_the_same(cell_type, left, right, monkeypatch):
    mesh, wanted = halves(cell_type), given(section(region="left", **left), section(region="right", **right))
    fused = matrix_of(model_of(mesh, wanted), mesh.n_nodes)
    monkeypatch.setattr(kernels, "available", lambda: False)
    plain = matrix_of(model_of(mesh, wanted), mesh.n_nodes)
    assert np.abs(fused - plain).max() <= 1e-12 * np.abs(fused).max()


def test_cells_of_one_block_with_different_points():
    """The larger number of points is told; cells with fewer have NaN behind their own, and principal values too."""
    mesh = halves("hex20")
    names = ("stress", "principal_stress", "von_mises")
    fields = [{"name": name, "location": "LOCATION_INTEGRATION_POINT"} for name in names]
    sections = [section(region="left", integration="reduced"), section(region="right")]
    solution = solve(mesh, elastic(sections=sections, outputs={"fields": fields}, **HELD))
    info = solution.result.fields[0]
    assert list(info.point_counts) == [27]
    left = np.isin(np.arange(len(mesh.blocks[0].nodes)), region(mesh, "left"))
    for name in names:
        at_points = solution.field(name, "point").reshape(len(left), 27, -1)
        assert np.isfinite(at_points[~left]).all()
        assert np.isfinite(at_points[left, :8]).all()
        assert np.isnan(at_points[left, 8:]).all()
    alone = solve(mesh, elastic(sections=[section(integration="reduced")], outputs={"fields": fields}, **HELD))
    assert list(alone.result.fields[0].point_counts) == [8]


def test_large_blocks_come_in_pieces(monkeypatch):
    mesh, wanted = box("hex8", (3, 3, 2)), given(section(formulation="incompatible_modes"))
    whole = matrix_of(model_of(mesh, wanted), mesh.n_nodes)
    sizes, compute = [], strains.strain_matrices
    monkeypatch.setattr("dougong.solver.model._AT_POINTS", 1)
    monkeypatch.setattr(strains, "strain_matrices", lambda m, k, rows: sizes.append(rows) or compute(m, k, rows))
    pieces = matrix_of(model_of(mesh, wanted), mesh.n_nodes)
    assert [r.stop - r.start for r in sizes] == [16, 2]
    assert np.abs(whole - pieces).max() <= 1e-13 * np.abs(whole).max()


@pytest.mark.parametrize(("cell_type", "alone", "rigid"), [("hex20", 6, 6), ("quad8", 1, 3)])
def test_motions_without_stiffness_of_reduced_integration(cell_type, alone, rigid):
    """A cell alone has them; of two in each direction only the motions of the whole are left."""
    for n, free in ((1, rigid + alone), (2, rigid)):
        mesh = plate(cell_type, (n, n)) if cell_type == "quad8" else box(cell_type, (n, n, n))
        own = {"kinematics": "plane_strain"} if cell_type == "quad8" else {}
        K = matrix_of(model_of(mesh, elastic(sections=[section(integration="reduced", **own)])), mesh.n_nodes)
        values = np.linalg.eigvalsh(K)
        assert np.count_nonzero(values < 1e-10 * values[-1]) == free


@pytest.mark.parametrize("cell_type", ["hex20", "quad8"])
def test_a_reduced_cell_held_as_a_body_only_is_singular(cell_type):
    mesh = plate(cell_type, (1, 1)) if cell_type == "quad8" else box(cell_type, (1, 1, 1))
    own = {"kinematics": "plane_strain"} if cell_type == "quad8" else {}
    held = ({"x": 0.0, "y": 0.0, "z": 0.0}, {"y": 0.0, "z": 0.0}, {"z": 0.0})
    conditions, regions = [], {}
    for k, components in enumerate(held[: mesh.dim]):
        place = [0.0] * mesh.dim
        if k:
            place[k - 1] = 1.0
        regions[f"p{k}"] = {"kind": "KIND_NODES", "sphere": {"center": {"coordinates": place}, "radius": 1e-6}}
        only = {c: x for c, x in components.items() if c in "xyz"[: mesh.dim]}
        conditions.append({"region": f"p{k}", "displacement": vector(**only)})
    loads = [{"region": "", "bodyForce": vector(x=3.0, y=1.0)}]
    for rule in ("full", "reduced"):
        asked = [section(integration=rule, **own)]
        solved = solve(mesh, elastic(sections=asked, regions=regions, conditions=conditions, loads=loads))
        assert (solved.failure.reason if solved.failure else "") == ("SINGULAR_SYSTEM" if rule == "reduced" else "")
