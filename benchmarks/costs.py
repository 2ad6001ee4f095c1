"""What each solve of ours took, kept in build/bench/costs.json: from it `fit.py` fits the model of the estimate."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import ours
from bodies import Body

from dougong.solver.estimate.estimate import matrix_numbers


@dataclass(frozen=True)
class Cost:
    """A solve.

    Attributes
    ----------
    case
        Name of the body.
    cells
        Its cell type.
    direct
        Whether it was factorised.
    dofs, numbers
        Unknowns, and numbers in the matrix as the estimate counts them.
    ranks
        Processes.
    seconds
        From start to end; on one rank processor time, which hardly depends on what else runs.
    bytes
        Peak memory of all ranks together.
    """

    case: str
    cells: str
    direct: bool
    dofs: int
    numbers: float
    ranks: int
    seconds: float
    bytes: int


class Costs:
    """The file of them; of each case the newest.

    Parameters
    ----------
    path
        Where it is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Cost]:
        """All that are known."""
        return [Cost(**entry) for entry in json.loads(self._path.read_text())] if self._path.exists() else []

    def keep(self, body: Body, solved: ours.Solved, ranks: int) -> None:
        """Add one."""
        mesh, used = body.mesh, solved.run
        seconds = min(used.seconds, used.processor_seconds) if ranks == 1 else used.seconds
        (cells,) = (t.name for t in mesh.cell_types)
        new = Cost(
            body.name,
            cells,
            ours.predict(body, ranks, solved.direct).solver == "direct",
            body.dofs,
            matrix_numbers(mesh, 3),
            ranks,
            round(seconds, 3),
            sum(solved.cost.peak_bytes),
        )
        others = [c for c in self.read() if (c.case, c.direct, c.ranks) != (new.case, new.direct, new.ranks)]
        every = sorted([*others, new], key=lambda c: (c.direct, c.cells, c.dofs, c.case, c.ranks))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text("[\n" + ",\n".join(json.dumps(asdict(c)) for c in every) + "\n]\n")
