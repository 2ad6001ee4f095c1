"""What makes a step depend on its own solution, so that Newton's method is needed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from google.protobuf.message import Message

from dougong.solver.values.quantities import depends_on, places
from dougong.v1 import analysis_pb2 as pb

#: What a table over temperature depends on.
TEMPERATURE = "temperature"


def dependences(messages: Iterable[Message]) -> frozenset[str]:
    """What any number in some messages depends on: some of "x", "y", "z", "t" and "temperature"."""
    found: frozenset[str] = frozenset()
    return found.union(*(depends_on(p.quantity) for m in messages for p in places(m)))


def law_is_nonlinear(constants: Sequence[str], materials: Iterable[pb.Material]) -> bool:
    """Whether a constant, by its field of dougong.v1.Material, depends on temperature in some material."""
    laws = [getattr(m, name) for m in materials for name in constants if m.HasField(name)]
    return any(TEMPERATURE in _of(law) for law in laws)


def loads_are_nonlinear(kinds: Collection[str], loads: Iterable[pb.Load]) -> bool:
    """Whether a load is of one of these kinds, or depends on temperature."""
    return any(x.WhichOneof("kind") in kinds or TEMPERATURE in dependences([x]) for x in loads)


def _of(message: Message) -> frozenset[str]:
    return depends_on(message) if isinstance(message, pb.Quantity) else dependences([message])
