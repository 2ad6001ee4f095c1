"""Which PETSc options a user may set, and that they do what they say."""

from __future__ import annotations

import pytest

import meshgen
import solving
from dougong.solver.linalg.choice import petsc_option_allowed

ANALYSIS = {
    "materials": {"steel": {"elastic": {"young_modulus": {"value": 2.1e5}, "poisson_ratio": {"value": 0.3}}}},
    "sections": [{"material": "steel"}],
    "steps": [
        {
            "static": {},
            "conditions": [{"region": "x0", "fixed": {}}],
            "loads": [{"region": "x1", "traction": {"z": {"value": 1.0}}}],
        }
    ],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [("ksp_type", "minres"), ("pc_type", "jacobi"), ("mat_mumps_icntl_14", "80"), ("ksp_rtol", "1e-6")],
)
def test_options_of_the_solution_are_allowed(name: str, value: str) -> None:
    assert petsc_option_allowed(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ksp_view", "ascii:/etc/passwd"),
        ("ksp_monitor", "ascii:/tmp/x"),
        ("log_view", ""),
        ("options_file", "x"),
        ("dll_append", "x.so"),
        ("pc_type", "../x"),
        ("pc_python_type", "os.system"),
        ("mat_mumps_ooc_tmpdir", "x"),
        ("mat_mumps_icntl_2", "78"),
        ("mg_coarse_mat_mumps_icntl_22", "1"),
        ("-ksp_type", "cg"),
        ("ksp_type\n-log_view", "cg"),
    ],
)
def test_options_that_reach_further_are_refused(name: str, value: str) -> None:
    assert not petsc_option_allowed(name, value)


def test_asked_options_replace_the_choice() -> None:
    mesh = meshgen.box("tet10", (3, 2, 2), (3.0, 1.0, 1.0))
    reference = solving.solve(mesh, ANALYSIS)
    options = {"method": "METHOD_ITERATIVE", "relative_tolerance": 1e-12}
    asked = ANALYSIS | {"solver": options | {"petsc_options": {"pc_type": "jacobi", "ksp_type": "cg"}}}
    found = solving.solve(mesh, asked)
    record = found.result.steps[0].solve
    assert "jacobi" in record.method
    assert record.iterations > 20
    want, got = reference.field("displacement"), found.field("displacement")
    assert abs(want - got).max() < 1e-8 * abs(want).max()


@pytest.mark.parametrize("tolerance", [0.1, 1e-2, 1e-4])
def test_an_iteration_may_end_early(tolerance: float) -> None:
    """What a loose tolerance leaves is not taken for a singular system."""
    mesh = meshgen.box("tet10", (12, 4, 4), (3.0, 1.0, 1.0))
    exact = solving.solve(mesh, ANALYSIS).field("displacement")
    found = solving.solve(
        mesh, ANALYSIS | {"solver": {"method": "METHOD_ITERATIVE", "relative_tolerance": tolerance}}
    ).field("displacement")
    assert 0 < abs(found - exact).max() < 2 * tolerance * abs(exact).max()


@pytest.mark.parametrize(
    "asked",
    [
        {"ksp_type": "minres", "pc_type": "jacobi"},
        {"ksp_type": "minres"},
        {"ksp_type": "gmres", "ksp_gmres_restart": "50"},
        {"ksp_type": "fcg", "pc_type": "gamg"},
        {"ksp_type": "bcgs", "pc_type": "bjacobi"},
        {"ksp_norm_type": "unpreconditioned"},
    ],
)
def test_methods_without_an_energy_norm_take_their_own(asked: dict[str, str]) -> None:
    mesh = meshgen.box("tet10", (3, 2, 2), (3.0, 1.0, 1.0))
    options = {"method": "METHOD_ITERATIVE", "relative_tolerance": 1e-10, "petsc_options": asked}
    found = solving.solve(mesh, ANALYSIS | {"solver": options})
    want = solving.solve(mesh, ANALYSIS).field("displacement")
    assert abs(want - found.field("displacement")).max() < 1e-6 * abs(want).max()
    assert found.step.solve.iterations > 3
    if "ksp_type" in asked:
        assert found.step.solve.method.startswith(
            f"{asked['ksp_type']} with preconditioner {asked.get('pc_type', 'p-multigrid')}"
        )


def test_a_forbidden_option_is_a_violation_with_its_path() -> None:
    mesh = meshgen.box("tet4", (1, 1, 1), (1.0, 1.0, 1.0))
    found = solving.solve(mesh, ANALYSIS | {"solver": {"petsc_options": {"log_view": ":x"}}})
    assert found.failure.violations[0].reason == "PETSC_OPTION_NOT_ALLOWED"
    assert found.failure.violations[0].field == 'solver.petsc_options["log_view"]'
