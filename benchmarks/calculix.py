"""CalculiX as a peer: the same body as an input file, solved by its default direct solver on two threads."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
from bodies import ACCELERATION, DENSITY, POISSON, YOUNG, Body
from numpy.typing import NDArray
from processes import FailedError, Run, python, run

THREADS = 2

READING = Path(__file__).with_name("reading.py")


def name() -> str | None:
    """The peer's name; None where it is not installed."""
    program = shutil.which("ccx")
    if program is None:
        return None
    # It ends with an error code after this, too.
    said = subprocess.run([program, "-v"], stdout=subprocess.PIPE, text=True, check=False).stdout
    return f"CalculiX {said.split()[-1] if said.split() else ''}, SPOOLES, {THREADS} threads"


def write(body: Body, path: Path) -> None:
    """Write a body as an input file."""
    mesh = body.mesh
    points, cells = np.asarray(mesh.points), np.asarray(mesh.cells(0)) + 1
    held = np.flatnonzero(points[:, body.held_axis] <= body.held_below) + 1
    direction = [0.0, 0.0, 0.0]
    direction[body.gravity_axis] = -1.0
    with open(path, "w") as out:
        out.write("*NODE, NSET=ALL\n")
        np.savetxt(out, np.column_stack([np.arange(1, len(points) + 1), points]), fmt="%d, %.12g, %.12g, %.12g")
        out.write("*ELEMENT, TYPE=C3D10, ELSET=BODY\n")
        np.savetxt(out, np.column_stack([np.arange(1, len(cells) + 1), cells]), fmt="%d", delimiter=", ")
        out.write("*NSET, NSET=HELD\n")
        np.savetxt(out, held, fmt="%d")
        out.write(
            f"*MATERIAL, NAME=STEEL\n*ELASTIC\n{YOUNG!r}, {POISSON!r}\n*DENSITY\n{DENSITY!r}\n"
            "*SOLID SECTION, ELSET=BODY, MATERIAL=STEEL\n*BOUNDARY\nHELD, 1, 3\n*STEP\n*STATIC\n"
            f"*DLOAD\nBODY, GRAV, {ACCELERATION!r}, {', '.join(map(str, direction))}\n"
            "*NODE FILE\nU, RF\n*EL FILE\nS, E\n*NODE PRINT, NSET=ALL\nU\n*END STEP\n"
        )


def solve(body: Body) -> tuple[Run, NDArray[np.float64], float]:
    """Solve a body.

    Returns
    -------
    Run
        Time and memory of the whole program, from the input file to displacements, reactions, stress and strain on
        disk.
    ndarray
        Displacements (n_nodes, 3) as printed, with seven digits.
    float
        Seconds that we take to read, check and store the same input file.
    """
    folder = body.folder / "calculix"
    folder.mkdir(exist_ok=True)
    write(body, folder / "job.inp")
    reading = float(run(python(READING, "ours", "abaqus", folder / "job.inp")).output.split()[-1])
    done = run(["ccx", "-i", "job"], {"OMP_NUM_THREADS": str(THREADS), "OPENBLAS_NUM_THREADS": str(THREADS)}, folder)
    rows = [line.split() for line in (folder / "job.dat").read_text().splitlines()]
    found = np.array([row for row in rows if len(row) == 4 and row[0].isdigit()], dtype=float)
    if len(found) != body.n_nodes:
        raise FailedError(f"{body.name}: CalculiX printed {len(found)} of {body.n_nodes} nodes")
    displacement = np.empty((body.n_nodes, 3))
    displacement[found[:, 0].astype(int) - 1] = found[:, 1:]
    shutil.rmtree(folder)
    return done, displacement, reading
