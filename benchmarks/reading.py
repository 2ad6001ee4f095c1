"""Reading of mesh files: our conversion (parsed, checked, stored) against meshio's reading alone.

    python reading.py ours|meshio FORMAT FILE

Prints the seconds of one reading, imports not counted.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from bodies import Body
from cases import Bench
from processes import python, run
from record import record

#: What a reading must reach: 1,000,000 nodes in 5 s.
NODES_PER_SECOND = 200_000.0

#: format -> how the file is named, and meshio's name of the format
FORMATS = {"gmsh": ("beam.msh", "gmsh"), "inp": ("beam.inp", "abaqus")}


def write_inp(body: Body, path: Path) -> None:
    """An Abaqus input file."""
    mesh = body.mesh
    points, cells = np.asarray(mesh.points), np.asarray(mesh.cells(0)) + 1
    with open(path, "w") as out:
        out.write("*NODE\n")
        np.savetxt(out, np.column_stack([np.arange(1, len(points) + 1), points]), fmt="%d, %.12g, %.12g, %.12g")
        out.write("*ELEMENT, TYPE=C3D10, ELSET=BODY\n")
        np.savetxt(out, np.column_stack([np.arange(1, len(cells) + 1), cells]), fmt="%d", delimiter=", ")


def write_gmsh(body: Body, path: Path) -> None:
    """A Gmsh file, version 4.1, text."""
    mesh = body.mesh
    points, cells = np.asarray(mesh.points), np.asarray(mesh.cells(0)) + 1
    # Gmsh has the last two mid-edge nodes the other way round.
    cells = cells[:, [0, 1, 2, 3, 4, 5, 6, 7, 9, 8]]
    n, m = len(points), len(cells)
    low, high = points.min(axis=0), points.max(axis=0)
    with open(path, "w") as out:
        out.write("$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$Entities\n0 0 0 1\n1 ")
        out.write(" ".join(map(repr, [*map(float, low), *map(float, high)])) + " 0 0\n$EndEntities\n")
        out.write(f"$Nodes\n1 {n} 1 {n}\n3 1 0 {n}\n")
        np.savetxt(out, np.arange(1, n + 1), fmt="%d")
        np.savetxt(out, points, fmt="%.12g")
        out.write(f"$EndNodes\n$Elements\n1 {m} 1 {m}\n3 1 11 {m}\n")
        np.savetxt(out, np.column_stack([np.arange(1, m + 1), cells]), fmt="%d")
        out.write("$EndElements\n")


def measure(bench: Bench, case: str) -> None:
    """Nodes per second of each format."""
    body = bench.body(case)
    if body is None:
        return
    for kind, (file_name, meshio_name) in FORMATS.items():
        path = body.folder / file_name
        if not path.exists():
            {"gmsh": write_gmsh, "inp": write_inp}[kind](body, path)
        times: dict[str, list[float]] = {"ours": [], "meshio": []}
        while len(times["ours"]) < bench.runs:
            for who, name in (("ours", {"gmsh": "gmsh", "inp": "abaqus"}[kind]), ("meshio", meshio_name)):
                times[who].append(float(run(python(__file__, who, name, path)).output.split()[-1]))
            if min(times["ours"][0], times["meshio"][0]) >= 10.0:
                break
        rate = {who: body.n_nodes / statistics.median(t) for who, t in times.items()}
        size = f"{path.stat().st_size / 1e6:.0f} MB of text"
        bench.report.add(
            record(f"read/{kind}", "nodes/s", rate["ours"], rate["meshio"], "meshio, reading alone", 1.0, body.dofs),
            record(f"read/{kind}", "nodes/s", rate["ours"], NODES_PER_SECOND, "what is asked for", 1.0, body.dofs),
        )
        bench.report.note(f"read/{kind}: {body.n_nodes} nodes, {size}")


def _ours(name: str, path: Path) -> float:
    from dougong.meshes.convert import convert
    from dougong.meshes.formats import find

    with tempfile.TemporaryDirectory(dir=path.parent) as out:
        start = time.perf_counter()
        convert(path, Path(out), find(name, path.name, b""))
        return time.perf_counter() - start


def _meshio(name: str, path: Path) -> float:
    import meshio

    start = time.perf_counter()
    meshio.read(path, file_format=name)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.stdout.write(f"{(_ours if sys.argv[1] == 'ours' else _meshio)(sys.argv[2], Path(sys.argv[3]))}\n")
