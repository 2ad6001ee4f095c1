"""`dougong mesh info`: what is in a mesh file, and how good its cells are."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from dougong.client.cli.common import connect
from dougong.client.cli.console import answer, answer_json, count, number, say, size, table
from dougong.client.cli.exit_codes import ExitCode
from dougong.client.cli.progress import ProgressDisplay
from dougong.client.plain import to_plain
from dougong.messages import NotFound, user_language
from dougong.v1 import mesh_pb2

_JACOBIAN_BINS = tuple(f"{k / 10:.1f}-{(k + 1) / 10:.1f}" for k in range(10))
_ASPECT_BINS = ("1-2", "2-3", "3-5", "5-10", "10-20", "20-50", "50-100", "> 100")
_BAR = 40


def command(arguments: Namespace) -> ExitCode:
    """One of the commands about meshes."""
    return {"info": info, "list": list_meshes, "delete": delete}[arguments.mesh_command](arguments)


def list_meshes(arguments: Namespace) -> ExitCode:
    """List the meshes at the server."""
    with connect(arguments) as client:
        found = list(client.meshes())
    if arguments.json:
        answer_json({"meshes": [to_plain(mesh) for mesh in found]})
    elif not found:
        answer(say("CLI_NO_MESHES"))
    else:
        rows = [tuple(say(f"CLI_COL_{column}") for column in ("MESH", "FORMAT", "FILE_SIZE"))]
        rows += [(mesh.mesh_id, mesh.format, size(mesh.file_bytes)) for mesh in found]
        for line in table(rows, right=(2,)):
            answer(line)
    return ExitCode.OK


def delete(arguments: Namespace) -> ExitCode:
    """Remove meshes, given by id or by the beginning of one."""
    with connect(arguments) as client:
        known = [mesh.mesh_id for mesh in client.meshes()]
        chosen = []
        for wanted in arguments.meshes:
            found = [i for i in known if wanted and i.startswith(wanted)]
            if len(found) != 1:
                raise NotFound("CLI_MESH_UNKNOWN" if not found else "CLI_MESH_AMBIGUOUS", mesh=wanted[:64])
            chosen += found
        for mesh_id in dict.fromkeys(chosen):
            client.delete_mesh(mesh_id)
            answer(say("CLI_MESH_DELETED", mesh=mesh_id))
    return ExitCode.OK


def info(arguments: Namespace) -> ExitCode:
    """Upload a mesh file and show what is in it."""
    with connect(arguments) as client, ProgressDisplay() as display:
        mesh = client.upload_mesh(arguments.file, format_name=arguments.format, progress=display.sent)
    if arguments.json:
        answer_json(to_plain(mesh))
        return ExitCode.OK
    for line in describe(mesh):
        answer(line)
    return ExitCode.OK


def describe(mesh: mesh_pb2.Mesh) -> list[str]:
    """The lines of the description of a mesh."""
    about = mesh.info
    types = ", ".join(f"{count(t.count)} {t.cell_type}" for t in about.cell_types)
    ends = zip(about.bounding_box_min, about.bounding_box_max, strict=False)
    box = " x ".join(f"[{low:.6g}, {high:.6g}]" for low, high in ends)
    lines = table(
        [
            (say("CLI_MESH_ID"), mesh.mesh_id),
            (say("CLI_MESH_FORMAT"), f"{mesh.format}, {size(mesh.file_bytes)}"),
            (say("CLI_MESH_DIMENSION"), str(about.dimension)),
            (say("CLI_MESH_NODES"), count(about.node_count)),
            (say("CLI_MESH_CELLS"), f"{count(about.cell_count)}: {types}"),
            (say("CLI_MESH_BOX"), box),
        ]
    )
    lines += ["", say("CLI_MESH_REGIONS")]
    rows = [tuple(say(f"CLI_COL_{c}") for c in ("REGION", "KIND", "SIZE", "MEASURE", "ORIGIN"))]
    kinds = {1: "CLI_KIND_NODES", 2: "CLI_KIND_FACETS", 3: "CLI_KIND_CELLS"}
    for region in about.regions:
        kind = say(kinds[region.kind]) if region.kind in kinds else ""
        measure = number(region.measure) if region.measure else ""
        rows.append((region.name, kind, count(region.size), measure, region.origin))
    lines += table(rows, indent="  ", right=(2, 3)) if about.regions else ["  " + say("CLI_MESH_NO_REGIONS")]
    quality = about.quality
    if any(quality.scaled_jacobian_histogram):
        worst, cell = number(quality.min_scaled_jacobian), quality.worst_scaled_jacobian_cell
        lines += ["", say("CLI_MESH_JACOBIAN", worst=worst, cell=cell)]
        lines += bars(_JACOBIAN_BINS, quality.scaled_jacobian_histogram)
    if any(quality.aspect_histogram):
        worst, cell = number(quality.max_aspect), quality.worst_aspect_cell
        lines += ["", say("CLI_MESH_ASPECT", worst=worst, cell=cell)]
        lines += bars(_ASPECT_BINS, quality.aspect_histogram)
    if about.notices:
        lines.append("")
    for notice in about.notices:
        lines.append(say("CLI_NOTICE", text=notice.text_zh if user_language() == "zh" else notice.text))
    return lines


def bars(labels: Sequence[str], counts: Sequence[int]) -> list[str]:
    """A histogram as text; a bin with any cell in it has at least a thin bar."""
    largest = max(counts)
    rows = []
    for label, n in zip(labels, counts, strict=False):
        length = _BAR * n / largest
        bar = "█" * int(length) + ("▌" if length % 1 >= 0.5 or (n and length < 1) else "")
        rows.append((label, count(n), bar))
    return table(rows, indent="  ", right=(0, 1))
