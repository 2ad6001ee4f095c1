"""What natural modes and buckling cost: factorisations, and solves with them for each mode.

Fitted to processor time and peak memory of bodies of 7,600 to 28,600 unknowns, tet10, hex20 and hex8, stocky and thin,
10 and 40 modes, on one core of a server CPU that other work kept busy: within a factor of 1.5 of all of them.
"""

from __future__ import annotations

from dougong.v1 import analysis_pb2 as pb

#: Modes and factors that are found when nobody says; of a range of frequencies nobody knows before.
_MODES, _FACTORS = 10, 3
#: Times of an indefinite factorisation with its matrices, beside a definite one; the same of the memory.
_TIMES, _MEMORY = 2.0, 1.75
#: Seconds of the solves and products of a mode for each entry of the factor as the model counts them.
_SECONDS_PER_ENTRY = 2.9e-7
#: Bytes for each unknown and mode.
_BYTES_PER_MODE = 28.0


def modal(step: pb.Step, n: int, entries: float, direct: tuple[float, float]) -> tuple[float, float] | None:
    """Bytes and seconds of a step of modes or buckling; None of any other.

    Parameters
    ----------
    step
        The step.
    n, entries
        Unknowns, and entries of the factor.
    direct
        Bytes and seconds of a static solve by factorisation.
    """
    if step.WhichOneof("procedure") == "modes":
        asked = step.modes
        count, factorisations = asked.count or _MODES, 2 + bool(asked.min_frequency) + step.HasField("prestress")
    elif step.WhichOneof("procedure") == "buckling":
        count, factorisations = step.buckling.count or _FACTORS, 4
    else:
        return None
    kept, seconds = direct
    return (
        _MEMORY * kept + _BYTES_PER_MODE * n * count,
        _TIMES * factorisations * seconds + _SECONDS_PER_ENTRY * entries * count,
    )
