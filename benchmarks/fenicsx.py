"""dolfinx as a peer: where it is, and how it is run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bodies import ROOT, Body
from numpy.typing import NDArray
from processes import FailedError, Run, run
from scipy.spatial import cKDTree

_SCRIPT = Path(__file__).with_name("peer_dolfinx.py")
_PLACE = ROOT / "build" / "peers" / "dolfinx"


@dataclass(frozen=True)
class Solved:
    """A run: time and memory, what it says of itself, displacements in the node order of the body."""

    run: Run
    iterations: int
    stages: dict[str, float]
    displacement: NDArray[np.float64]


class Dolfinx:
    """A dolfinx that works.

    Parameters
    ----------
    interpreter
        Python that has it.
    libraries
        Folder of its MPI.
    """

    def __init__(self, interpreter: Path, libraries: Path | None) -> None:
        self._command: list[str | Path] = [interpreter, "-P", _SCRIPT]
        self._environment = {"LD_LIBRARY_PATH": str(libraries)} if libraries else {}
        self.name = self._run("version").output.strip().splitlines()[-1]

    def _run(self, *arguments: str | Path) -> Run:
        return run([*self._command, *arguments], self._environment)

    def warm(self, body: Body) -> None:
        """Have the forms compiled; a small body of the same geometry will do."""
        self._run(body.folder, body.folder / "dolfinx")

    def solve(self, body: Body) -> Solved:
        """Solve a body with conjugate gradients and GAMG."""
        output = body.folder / "dolfinx"
        done = self._run(body.folder, output)
        said = json.loads(next(line for line in done.output.splitlines() if line.startswith("{")))
        x, u = np.load(output.with_suffix(".x.npy")), np.load(output.with_suffix(".u.npy"))
        distance, place = cKDTree(x).query(body.mesh.points)
        if distance.max() > 1e-6 * np.ptp(x, axis=0).max():
            raise FailedError(f"{body.name}: the nodes of dolfinx are elsewhere, by {distance.max():.1e}")
        return Solved(done, said["iterations"], said["stages"], u[place])

    def rates(self, unknowns: int, *names: str) -> dict[str, dict[str, float]]:
        """Elements per second of cell types; a type it does not have is left out."""
        found = {}
        for name in names:
            try:
                said = self._run("assembly", str(unknowns), name).output
            except FailedError:
                continue
            found |= json.loads(next(line for line in said.splitlines() if line.startswith("{")))
        return found


def find() -> Dolfinx | str:
    """dolfinx, or why there is none."""
    own = _PLACE / "bin" / "python"
    tried = [(own, _PLACE / "lib")] if own.exists() else []
    why = "no dolfinx installed (benchmarks/peers.sh)"
    for interpreter, libraries in [*tried, (Path("/usr/bin/python3"), None)]:
        try:
            return Dolfinx(interpreter, libraries)
        except FailedError as error:
            if interpreter == own:
                why = f"dolfinx does not run: {str(error).splitlines()[-1]}"
    return why
