"""The cases in order: what `make bench`, `make bench-quick` and `make bench-large` run. A new case is one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cases
import hard
import loadcases
import memory
import overhead
import reading
import traffic
from assembly import TYPES

#: Bodies that are solved whole; each is also compared with plain GAMG, and with itself on two ranks.
SOLVED = tuple(f"{body}/{size}" for body in ("beam", "demo", "thin") for size in ("100k", "300k", "800k"))


@dataclass(frozen=True)
class Case:
    """What is run under a name; the records that it makes may have other names that begin so, or are told by `also`.

    Attributes
    ----------
    name
        For example "solve/beam/100k".
    call
        Measures.
    also
        Names of further records that it makes.
    spare
        It gets what time the others leave.
    """

    name: str
    call: Callable[[], None]
    also: tuple[str, ...] = ()
    spare: bool = False

    def wanted(self, prefix: str) -> bool:
        """Whether it makes a record whose name begins so."""
        names = (self.name, *self.also)
        return any(name.startswith(prefix) or (name.endswith("/") and prefix.startswith(name)) for name in names)


def quick(bench: cases.Bench) -> list[Case]:
    """Small cases, two minutes."""
    return [
        *(Case(f"assembly/{name}", lambda n=name: cases.elements(bench, (n,), 30_000)) for name in ("tet10", "hex20")),
        *(_solve(bench, name) for name in ("beam/50k", "demo/100k")),
        _gamg(bench, "beam/50k"),
        _ranks(bench, "beam/50k"),
        Case("memory/ranks", lambda: memory.ranks(bench, "beam/50k")),
        Case("cases/50k", lambda: loadcases.measure(bench, "beam/50k")),
        Case("traffic/beam/50k", lambda: traffic.measure(bench, "beam/50k")),
        Case("read/", lambda: reading.measure(bench, "beam/50k")),
        Case("overhead/", lambda: overhead.added(bench, "beam/50k")),
        Case("small/", lambda: overhead.small(bench)),
        Case("transfer/", lambda: overhead.moving(bench)),
    ]


def full(bench: cases.Bench) -> list[Case]:
    """Everything; those that the most depends on come first, should time get short."""
    return [
        *(Case(f"assembly/{name}", lambda n=name: cases.elements(bench, (n,), 100_000)) for name in TYPES),
        *(_solve(bench, name) for name in SOLVED),
        *(_ranks(bench, name) for name in SOLVED),
        Case("memory/ranks", lambda: memory.ranks(bench, "beam/300k")),
        Case("cases/100k", lambda: loadcases.measure(bench, "beam/100k")),
        Case("estimate/cells", lambda: cases.guessed(bench), tuple(f"estimate/{name}" for name, _ in cases.GUESSED)),
        Case("traffic/beam/800k", lambda: traffic.measure(bench, "beam/800k")),
        Case("iterations/beam/800k", lambda: cases.flat(bench, "beam/50k", "beam/800k"), ("cost/beam/800k",)),
        Case("read/", lambda: reading.measure(bench, "beam/800k")),
        Case("overhead/", lambda: overhead.added(bench, "beam/100k")),
        Case("small/", lambda: overhead.small(bench)),
        Case("transfer/", lambda: overhead.moving(bench)),
        *(_gamg(bench, name) for name in SOLVED),
        *(Case(f"hard/{name}", lambda n=name: hard.measure(bench, n), spare=True) for name in hard.names()),
    ]


def large(bench: cases.Bench) -> list[Case]:
    """Everything, and a body of three million unknowns."""
    flat = Case("iterations/beam/3M", lambda: cases.flat(bench, "beam/50k", "beam/3M"), ("cost/beam/3M",))
    return [*full(bench), _solve(bench, "beam/3M"), flat]


def _solve(bench: cases.Bench, name: str) -> Case:
    return Case(f"solve/{name}", lambda: cases.solve(bench, name), (f"memory/{name}", f"estimate/{name}"))


def _gamg(bench: cases.Bench, name: str) -> Case:
    return Case(f"solve/{name}, GAMG", lambda: cases.gamg(bench, name))


def _ranks(bench: cases.Bench, name: str) -> Case:
    return Case(f"ranks2/{name}", lambda: cases.ranks(bench, name), (f"estimate/{name}",))
