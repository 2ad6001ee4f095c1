"""Reading of mesh files: our reader against meshio's, and our conversion (parsed, checked, stored) against the bar.

    python reading.py ours|parse|meshio FORMAT FILE

Prints the seconds of a reading; imports, and what is made once in a process, are not counted.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from bodies import Body
from cases import Bench
from processes import python, run
from record import record

#: What a reading must reach: 1,000,000 nodes in 5 s.
NODES_PER_SECOND = 200_000.0

#: format -> how the file is named, and meshio's name of the format
FORMATS = {
    "gmsh": ("beam.msh", "gmsh"),
    "gmsh-binary": ("beam-binary.msh", "gmsh"),
    "inp": ("beam.inp", "abaqus"),
}

#: Short readings are repeated in the process until this much time is gone; the shortest counts.
_SECONDS = 1.0


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


def write_gmsh_binary(body: Body, path: Path) -> None:
    """A Gmsh file, version 4.1, binary."""
    mesh = body.mesh
    points, cells = np.asarray(mesh.points), np.asarray(mesh.cells(0))[:, [0, 1, 2, 3, 4, 5, 6, 7, 9, 8]] + 1
    n, m = len(points), len(cells)
    with open(path, "wb") as out:

        def put(code: str, *values: int) -> None:
            np.array(values, code).tofile(out)

        out.write(b"$MeshFormat\n4.1 1 8\n")
        put("<i4", 1)
        out.write(b"\n$EndMeshFormat\n$Nodes\n")
        put("<u8", 1, n, 1, n)
        put("<i4", 3, 1, 0)
        put("<u8", n)
        np.arange(1, n + 1, dtype="<u8").tofile(out)
        points.tofile(out)
        out.write(b"\n$EndNodes\n$Elements\n")
        put("<u8", 1, m, 1, m)
        put("<i4", 3, 1, 11)
        put("<u8", m)
        np.column_stack([np.arange(1, m + 1), cells]).astype("<u8").tofile(out)
        out.write(b"\n$EndElements\n")


_WRITERS = {"gmsh": write_gmsh, "gmsh-binary": write_gmsh_binary, "inp": write_inp}


def measure(bench: Bench, case: str) -> None:
    """Nodes per second of each format."""
    body = bench.body(case)
    if body is None:
        return
    for kind, (file_name, meshio_name) in FORMATS.items():
        path = body.folder / file_name
        if not path.exists():
            _WRITERS[kind](body, path)
        times: dict[str, list[float]] = {"ours": [], "parse": [], "meshio": []}
        while len(times["ours"]) < bench.runs:
            for who in times:
                times[who].append(float(run(python(__file__, who, meshio_name, path)).output.split()[-1]))
            if min(first for first, *_ in times.values()) >= 10.0:
                break
        rate = {who: body.n_nodes / statistics.median(t) for who, t in times.items()}
        size = f"{path.stat().st_size / 1e6:.0f} MB"
        bench.report.add(
            record(
                f"read/{kind}", "nodes/s", rate["parse"], rate["meshio"], "meshio, both reading alone", 1.0, body.dofs
            ),
            record(f"read/{kind}", "nodes/s", rate["ours"], NODES_PER_SECOND, "what is asked for", 1.0, body.dofs),
        )
        bench.report.note(f"read/{kind}: {body.n_nodes} nodes, {size}")


def _ours(name: str, path: Path) -> None:
    from dougong.meshes.convert import convert
    from dougong.meshes.formats import find

    with tempfile.TemporaryDirectory(dir=path.parent) as out:
        convert(path, Path(out), find(name, path.name, b""))


def _parse(name: str, path: Path) -> None:
    from dougong.meshes.formats import find

    find(name, path.name, b"").read(path)


def _meshio(name: str, path: Path) -> None:
    import meshio

    meshio.read(path, file_format=name)


def _shortest(read: Callable[[str, Path], None], name: str, path: Path) -> float:
    """Seconds of the shortest reading; a long one is done once."""
    __import__("meshio" if read is _meshio else "dougong.meshes.convert", fromlist=["convert"])
    begin = time.perf_counter()
    shortest = np.inf
    while time.perf_counter() - begin < _SECONDS:
        start = time.perf_counter()
        read(name, path)
        shortest = min(shortest, time.perf_counter() - start)
    return shortest


if __name__ == "__main__":
    chosen = {"ours": _ours, "parse": _parse, "meshio": _meshio}[sys.argv[1]]
    sys.stdout.write(f"{_shortest(chosen, sys.argv[2], Path(sys.argv[3]))}\n")
