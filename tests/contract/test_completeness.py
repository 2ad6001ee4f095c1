"""Nothing is half there: what the contract can say is understood, and what is a plug-in is tested.

`VERIFIED` and `READ` are registers: who adds a physics, a procedure, a cell type or a mesh format adds its tests here.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.formats import all_formats
from dougong.server.executors import all_executors
from dougong.solver.elements import SOLVABLE
from dougong.solver.physics import all_physics, fields_of
from dougong.solver.procedures import all_procedures
from dougong.v1 import analysis_pb2 as pb
from unit import test_formats_med, test_formats_roundtrip, test_mesh_gmsh, test_mesh_vtk
from verification import test_convergence, test_patch

TESTS = Path(__file__).parents[1]
CONTRACT = TESTS.parent / "proto" / "dougong" / "v1"

#: A patch test, a rate of convergence, and a case with a known answer.
VERIFIED = {
    "elasticity": (
        "verification/test_patch.py::test_linear_displacement",
        "verification/test_convergence.py::test_elasticity",
        "verification/test_nafems_le10.py",
    ),
    "electrostatics": (
        "verification/test_electrostatics.py::test_linear_potential",
        "verification/test_electrostatics.py::test_rate",
        "verification/test_electrostatics.py::test_cylindrical_capacitor",
    ),
    "seepage": (
        "verification/test_seepage.py::test_linear_head",
        "verification/test_seepage.py::test_rate",
        "verification/test_seepage.py::test_well_in_a_confined_layer",
    ),
    "heat": (
        "verification/test_patch.py::test_linear_temperature",
        "verification/test_convergence.py::test_heat_in_space",
        "verification/test_nafems_t4.py",
    ),
}

#: For each procedure a case with a known answer that runs through the worker.
RUN = {
    "newton": ("verification/test_radiation.py",),
    "transient": ("verification/test_transient_heat.py", "verification/test_radiation.py"),
    "static": ("verification/test_exact_solutions.py", "verification/test_nafems_le10.py"),
    "modes": ("verification/test_modes.py", "verification/test_modes_published.py"),
    "buckling": ("verification/test_buckling.py",),
}

#: For each format the tests of its reader: what it reads, and what it says of a file that is wrong.
READ = {
    "abaqus": ("unit/test_formats_roundtrip.py::test_abaqus", "unit/test_formats_abaqus.py"),
    "gmsh": ("unit/test_mesh_gmsh.py",),
    "med": ("unit/test_formats_roundtrip.py::test_med", "unit/test_formats_med.py"),
    "nastran": ("unit/test_formats_roundtrip.py::test_nastran", "unit/test_formats_nastran.py"),
    "unv": ("unit/test_formats_roundtrip.py::test_unv", "unit/test_formats_unv.py"),
    "vtk": ("unit/test_mesh_vtk.py::test_legacy_vtk_text_and_binary_old_and_new",),
    "vtu": ("unit/test_mesh_vtk.py::test_vtu_in_every_encoding",),
}

EXECUTED = {
    "local": ("contract/test_executors.py", "integration/test_server_solver.py"),
    "slurm": ("contract/test_executors.py", "unit/test_batch_system.py"),
    "donau": ("contract/test_executors.py", "unit/test_batch_system.py"),
}

REGISTERS = {
    "physics": (VERIFIED, {p.NAME for p in all_physics()}),
    "procedures": (RUN, {p.NAME for p in all_procedures()}),
    "formats": (READ, {f.NAME for f in all_formats()}),
    "executors": (EXECUTED, set(all_executors())),
}


def functions_in(file: Path) -> set[str]:
    """Names of the test functions of a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")}


@pytest.mark.parametrize("kind", REGISTERS)
def test_every_plugin_has_its_tests(kind):
    register, found = REGISTERS[kind]
    assert register.keys() == found
    for name, places in register.items():
        assert places, name
        for place in places:
            file, _, test = place.partition("::")
            known = functions_in(TESTS / file)
            assert known, place
            assert not test or test in known, place


def test_every_cell_type_that_can_be_solved_on_is_verified():
    patched = (*test_patch.SOLIDS, *test_patch.PLANES)
    assert sorted(patched) == sorted(SOLVABLE)
    converging = {c for c in SOLVABLE if c in test_convergence.DIVISIONS}
    assert converging == set(SOLVABLE)


def test_every_cell_type_is_read():
    written = {
        *test_formats_roundtrip.ABAQUS, *test_formats_roundtrip.MED, *test_formats_med.TYPES.values(),
        *test_mesh_gmsh.TYPES, *test_mesh_vtk.TYPES,
    }  # fmt: skip
    # Points and lines come along with the groups of other cells; they carry no field.
    assert written >= {name for name, cell in CELL_TYPES.items() if cell.dim >= 2}


@pytest.mark.parametrize(
    ("message", "oneof", "claimed"),
    [
        (pb.Step, "procedure", [s for p in all_physics() for s in p.PROCEDURES]),
        (pb.Condition, "kind", [c for p in all_physics() for c in p.CONDITIONS]),
        (pb.Load, "kind", [c for p in all_physics() for c in p.LOADS]),
    ],
)
def test_what_the_contract_can_say_is_understood_by_a_physics(message, oneof, claimed):
    fields = [f.name for f in message.DESCRIPTOR.oneofs_by_name[oneof].fields]
    assert set(claimed) == set(fields)
    if oneof == "procedure":
        assert len(claimed) == len(set(claimed)), "two physics claim one procedure"


@pytest.mark.parametrize("oneof", [(pb.Condition, "kind"), (pb.Load, "kind"), (pb.Step, "procedure")])
def test_every_condition_and_load_is_in_a_verification_case(oneof):
    message, name = oneof
    text = "".join(f.read_text(encoding="utf-8") for f in (TESTS / "verification").glob("test_*.py"))
    text += (TESTS / "solving.py").read_text(encoding="utf-8")  # its `elastic` and `heat` name the procedures
    for field in message.DESCRIPTOR.oneofs_by_name[name].fields:
        assert re.search(rf'"({field.name}|{field.json_name})"', text), field.name


def comment_of(file: str, message: str, field: str) -> str:
    """The comment above a field of a message."""
    text = (CONTRACT / file).read_text(encoding="utf-8")
    body = re.search(rf"^message {message} {{$(.*?)^}}$", text, re.M | re.S)
    assert body
    found = re.search(rf"((?:^ *//.*\n)+) *[\w. ]+ {field} = ", body[1], re.M)
    assert found
    return found[1]


@pytest.mark.parametrize("place", [("result.proto", "FieldInfo"), ("analysis.proto", "FieldRequest")])
def test_the_contract_names_every_field_of_every_physics(place):
    named = set(re.findall(r"[a-z_]+\d?", comment_of(*place, "name")))
    assert named == {name for p in all_physics() for name in fields_of(p)}


def test_the_contract_names_every_procedure():
    named = set(re.findall(r"[a-z_]+", comment_of("result.proto", "StepResult", "procedure")))
    assert named == {s for p in all_physics() for s in p.PROCEDURES}


def test_the_contract_names_the_components_of_every_field():
    named = set(re.findall(r"[a-z]+\d?", comment_of("result.proto", "FieldInfo", "components").split("empty")[0]))
    assert named == {c for p in all_physics() for spec in p.FIELDS.values() for c in spec.components}
