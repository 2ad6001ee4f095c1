"""What is told of a step whose frames are no load cases: one function for each kind of frame.

Each is in a file of its own and takes what an `Overview` is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dougong.client.cli.summary_heat import heat_overview
from dougong.client.cli.summary_modes import buckling_overview, modes_overview
from dougong.v1 import analysis_pb2, result_pb2

#: From the step's result, its frames, the step as it was asked for, and the unit system, to lines.
Overview = Callable[
    [result_pb2.StepResult, Sequence[result_pb2.Frame], analysis_pb2.Step, analysis_pb2.UnitSystem], list[str]
]

#: Load cases and combinations have none here: `dougong.client.cli.summary` tells of them.
OVERVIEWS: Mapping[int, Overview] = {
    result_pb2.Frame.KIND_TIME: heat_overview,
    result_pb2.Frame.KIND_MODE: modes_overview,
    result_pb2.Frame.KIND_BUCKLING: buckling_overview,
}
