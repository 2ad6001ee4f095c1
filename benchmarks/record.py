"""What a benchmark found: one line of the table, one object of build/bench.json."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

#: Quantities of which more is better; of all others less is.
RATES = ("elements/s", "nodes/s", "jobs/s", "MB/s")


@dataclass(frozen=True)
class Record:
    """A comparison.

    Attributes
    ----------
    case
        For example "solve/beam/100k".
    quantity
        Unit of `ours` and `peer`: elements/s, nodes/s, jobs/s, MB/s, seconds, bytes/dof, iterations.
    ours, peer
        What was measured; `peer` is None where there is no peer on this machine.
    peer_name
        Who the peer is; or why there is none.
    ratio
        ours / peer for times, memory and counts, peer / ours for rates: smaller is better.
    bar
        The ratio must be at most this.
    ok
        Whether it is; None where there is no peer.
    dofs, ranks
        Unknowns (0 where that says nothing), and processes of ours.
    """

    case: str
    quantity: str
    ours: float
    peer: float | None
    peer_name: str
    ratio: float | None
    bar: float
    ok: bool | None
    dofs: int
    ranks: int


def record(
    case: str,
    quantity: str,
    ours: float,
    peer: float | None,
    peer_name: str,
    bar: float,
    dofs: int = 0,
    ranks: int = 1,
) -> Record:
    """A record with its ratio."""
    ratio = None if peer is None else peer / ours if quantity in RATES else ours / peer
    ok = None if ratio is None else ratio <= bar
    return Record(case, quantity, ours, peer, peer_name, ratio, bar, ok, dofs, ranks)


#: An estimate may be wrong by this factor.
GUESS_BAR = 1.5


def guess(case: str, quantity: str, predicted: float, measured: float, dofs: int, ranks: int = 1) -> Record:
    """A record of an estimate: `ours` was predicted, `peer` measured; the ratio is at least 1, whoever is larger."""
    ratio = max(predicted / measured, measured / predicted)
    return Record(case, quantity, predicted, measured, "measured", ratio, GUESS_BAR, ratio <= GUESS_BAR, dofs, ranks)


class Report:
    """Collects records, prints each as it comes, and keeps the file up to date.

    Parameters
    ----------
    path
        The JSON file.
    keep
        Keep what the file has of other cases.
    """

    def __init__(self, path: Path, keep: bool = False) -> None:
        self._path = path
        self._old = [Record(**r) for r in json.loads(path.read_text())] if keep and path.exists() else []
        self.records: list[Record] = []
        self.disagreements: list[str] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        say(f"{'case':28}{'quantity':>12}{'ours':>12}{'peer':>12}{'ratio':>8}{'bar':>7}  ok   peer")

    def add(self, *records: Record) -> None:
        """Add records."""
        for r in records:
            self.records.append(r)
            peer, ratio = ("-", "-") if r.peer is None else (_number(r.peer), f"{r.ratio:.3f}")
            ok = {True: "yes", False: "NO", None: "-"}[r.ok]
            ranks = "" if r.ranks == 1 else f", {r.ranks} ranks"
            size = f", {r.dofs} dofs" if r.dofs else ""
            say(
                f"{r.case:28}{r.quantity:>12}{_number(r.ours):>12}{peer:>12}{ratio:>8}{r.bar:7.3g}  {ok:4} "
                f"{r.peer_name}{size}{ranks}"
            )
        measured = {(r.case, r.ranks) for r in self.records}
        every = [r for r in self._old if (r.case, r.ranks) not in measured] + self.records
        self._path.write_text(json.dumps([asdict(r) for r in every], indent=1) + "\n")

    def note(self, text: str) -> None:
        """Say what is no record: a case left out and why, iterations, stages."""
        say(f"    {text}")

    def agree(self, case: str, difference: float, limit: float, peer_name: str) -> None:
        """Compare answers: the difference is relative to the largest value."""
        fine = difference <= limit
        say(f"    {case}: answers differ by {difference:.1e} from {peer_name}{'' if fine else ', MORE THAN ALLOWED'}")
        if not fine:
            self.disagreements.append(f"{case}: {difference:.1e} from {peer_name}")


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _number(x: float) -> str:
    return f"{x:.0f}" if abs(x) >= 1000 else f"{x:.4g}"
