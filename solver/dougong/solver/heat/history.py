"""What happens in a transient heat step beside its frames: a row for each time step, and the balance of heat."""

from __future__ import annotations

import numpy as np

from dougong.solver.heat.steps import Instant, TimeStep
from dougong.solver.parallel.comm import Comm
from dougong.v1 import result_pb2

#: Rows that are told; of more every second one is left out.
MOST_ROWS = 1000
#: Of the heat that a body has, what may move by rounding without being told as an error.
_ROUNDING = 1e-8


class HeatHistory:
    """Collects them. All methods are collective.

    Parameters
    ----------
    begin
        The state at the beginning.
    span
        Its lowest and highest temperature.
    comm
        The processes.
    """

    def __init__(self, begin: Instant, span: tuple[float, float], comm: Comm) -> None:
        self._comm = comm
        self._origin = float(comm.sum(begin.H.sum()))
        # In a body whose heat stays where it is nothing but rounding moves.
        self._throughput = _ROUNDING * float(comm.sum(np.abs(begin.H).sum()))
        self._loads = self._conditions = 0.0
        self._error = 0.0
        # time, lowest, highest, stored, by loads, by conditions
        self._rows: list[tuple[float, ...]] = [(0.0, *span, 0.0, 0.0, 0.0)]
        self._every, self._count = 1, 0
        self._lengths: list[float] = []
        self.rejected = 0
        self.low, self.high = span

    @property
    def balance_error(self) -> float:
        """Largest difference so far between the heat that entered and what is stored, relative to what passed."""
        return self._error

    def add(self, step: TimeStep, span: tuple[float, float]) -> None:
        """Note a step and the lowest and highest temperature at its end."""
        by_loads = float(step.over_step(lambda s: float(s.flows.entering.sum())))
        # What a prescribed node stores and passes on came in through the condition that holds it.
        end = step.end
        nodes = end.held.nodes[end.held.nodes < len(end.H)]
        out = step.over_step(lambda s: s.flows.leaving[nodes].sum())
        by_conditions = float((end.H[nodes] - step.stages[0].H[nodes]).sum() + out)
        gross = float(np.abs(step.over_step(lambda s: s.flows.entering)).sum()) + abs(by_conditions)
        gross += float(np.abs(end.H - step.stages[0].H).sum())
        sums = self._comm.sum([by_loads, by_conditions, gross, float(end.H.sum())])
        self._loads += float(sums[0])
        self._conditions += float(sums[1])
        self._throughput += float(sums[2])
        stored = float(sums[3]) - self._origin
        missing = abs(stored - self._loads - self._conditions)
        self._error = max(self._error, missing / max(self._throughput, float(np.finfo(float).tiny)))
        self.low, self.high = min(self.low, span[0]), max(self.high, span[1])
        self._lengths = [min([step.length, *self._lengths[:1]]), max([step.length, *self._lengths[1:]])]
        self._count += 1
        row = (end.time, *span, stored, self._loads, self._conditions)
        if (self._count - 1) % self._every:
            self._rows[-1] = row  # the last one is always there
            return
        self._rows.append(row)
        if len(self._rows) > MOST_ROWS:
            self._rows = [*self._rows[:-1:2], self._rows[-1]]
            self._every *= 2

    def message(self, iterations: int) -> result_pb2.HeatHistory:
        """All of it; `iterations` of Newton's method, in all stages."""
        time, low, high, stored, loads, conditions = (list(column) for column in zip(*self._rows, strict=True))
        return result_pb2.HeatHistory(
            time=time,
            min_temperature=low,
            max_temperature=high,
            stored=stored,
            by_loads=loads,
            by_conditions=conditions,
            steps=self._count,
            rejected_steps=self.rejected,
            newton_iterations=iterations,
            shortest_step=self._lengths[0] if self._lengths else 0.0,
            longest_step=self._lengths[1] if self._lengths else 0.0,
            balance_error=self._error,
        )
