"""No large file is in memory twice while it is read, checked and stored."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dougong.meshes.convert import INFO
from dougong.v1 import mesh_pb2

#: Cubes along each edge of the mesh that is written: large enough for what does not grow with it to matter little.
LARGE, SMALL = 56, 2

#: The real program. What says how much memory it took is opened before it gives up its rights.
PROGRAM = """
import sys
from dougong.meshes.convert import main
status = open("/proc/self/status")
if main(sys.argv[1:]) == 0:
    sys.stdout.write(status.read())
"""


def grid(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Points, and bricks by node number counted from 1."""
    points = np.stack(np.meshgrid(*[np.arange(n + 1) / 7.0] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    number = np.arange(1, len(points) + 1).reshape(n + 1, n + 1, n + 1)
    corners = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
    cells = [number[i : i + n, j : j + n, k : k + n].ravel() for i, j, k in corners]
    return points, np.stack(cells, axis=1)


def lines(row: str, table: np.ndarray) -> bytes:
    return (row * len(table) % tuple(table.ravel().tolist())).encode()


def numbered(table: np.ndarray) -> np.ndarray:
    return np.column_stack([np.arange(1, len(table) + 1), table])


def gmsh_2_2(points: np.ndarray, cells: np.ndarray) -> bytes:
    head = b"$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$Nodes\n%d\n" % len(points)
    tags = np.tile([5, 2, 1, 1], (len(cells), 1))
    nodes = lines("%d %.16g %.16g %.16g\n", numbered(points))
    elements = lines("%d " * 12 + "%d\n", numbered(np.hstack([tags, cells])))
    return head + nodes + b"$EndNodes\n$Elements\n%d\n" % len(cells) + elements + b"$EndElements\n"


def gmsh_4_1(points: np.ndarray, cells: np.ndarray) -> bytes:
    n, m = len(points), len(cells)
    head = f"$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$Nodes\n1 {n} 1 {n}\n3 1 0 {n}\n".encode()
    nodes = lines("%d\n", np.arange(1, n + 1)) + lines("%.16g %.16g %.16g\n", points)
    between = f"$EndNodes\n$Elements\n1 {m} 1 {m}\n3 1 5 {m}\n".encode()
    return head + nodes + between + lines("%d " * 8 + "%d\n", numbered(cells)) + b"$EndElements\n"


def gmsh_4_1_binary(points: np.ndarray, cells: np.ndarray) -> bytes:
    n, m = len(points), len(cells)

    def ints(code: str, *values: int) -> bytes:
        return np.array(values, code).tobytes()

    head = b"$MeshFormat\n4.1 1 8\n" + ints("<i4", 1) + b"\n$EndMeshFormat\n$Nodes\n"
    nodes = ints("<u8", 1, n, 1, n) + ints("<i4", 3, 1, 0) + ints("<u8", n, *range(1, n + 1)) + points.tobytes()
    elements = ints("<u8", 1, m, 1, m) + ints("<i4", 3, 1, 5) + ints("<u8", m) + numbered(cells).astype("<u8").tobytes()
    return head + nodes + b"\n$EndNodes\n$Elements\n" + elements + b"\n$EndElements\n"


def abaqus(points: np.ndarray, cells: np.ndarray) -> bytes:
    nodes = lines("%d, %.16g, %.16g, %.16g\n", numbered(points))
    elements = lines("%d, " * 8 + "%d\n", numbered(cells))
    return b"*NODE, NSET=ALL\n" + nodes + b"*ELEMENT, TYPE=C3D8, ELSET=BODY\n" + elements


def peak_memory(file: Path, format_name: str, outdir: Path) -> int:
    """Peak resident bytes of the program that converts a file; checks that it did."""
    outdir.mkdir()
    command = [
        sys.executable, "-s", "-P", "-c", PROGRAM, str(file), str(outdir), "--format", format_name,
        "--memory-bytes", str(2**32), "--cpu-seconds", "60", "--file-bytes", str(2**30),
    ]  # fmt: skip
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    status = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, timeout=60).stdout.decode()
    assert mesh_pb2.MeshInfo.FromString((outdir / INFO).read_bytes()).cell_count > 0
    return int(status.split("VmHWM:")[1].split()[0]) << 10


@pytest.mark.parametrize("writer", [gmsh_2_2, gmsh_4_1, gmsh_4_1_binary, abaqus], ids=lambda writer: writer.__name__)
def test_a_file_is_not_in_memory_twice(tmp_path, writer):
    peaks, sizes = [], []
    for n in (SMALL, LARGE):
        file = tmp_path / f"{n}.mesh"
        file.write_bytes(writer(*grid(n)))
        name = "abaqus" if writer is abaqus else "gmsh"
        peaks.append(peak_memory(file, name, tmp_path / f"out-{n}"))
        sizes.append(file.stat().st_size)
    figures = [f"{x >> 20} MiB" for x in (*peaks, *sizes)]
    # Text and numbers of the mesh take about as much; the pieces in which it is read are not counted.
    assert peaks[1] - peaks[0] < 1.5 * sizes[1] + (8 << 20), figures
