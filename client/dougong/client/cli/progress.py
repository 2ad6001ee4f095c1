"""Live progress: one line that is painted over on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import shutil
import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TextIO

from dougong.client.cli.console import harmless, pad, say, seconds, width
from dougong.v1 import job_pb2

#: A plain line is printed at most so often within one stage.
PLAIN_SECONDS = 2.0
_BAR = 20
_REPAINT_SECONDS = 0.25


class ProgressDisplay:
    """Shows where a job stands.

    Parameters
    ----------
    stream
        Where to; standard error by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._fancy = "utf" in (getattr(self._stream, "encoding", None) or "").lower()
        self._lock = threading.Lock()
        self._texts: tuple[str, ...] = ("",)
        self._shown = 0
        self._start = time.monotonic()
        self._stage = ""
        self._first_residual = 1.0
        self._next_plain = 0.0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> ProgressDisplay:
        if self._live:
            self._thread = threading.Thread(target=self._tick, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wipe the line; what follows begins at the left."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._lock:
            if self._live and self._shown:
                self._stream.write("\r" + " " * self._shown + "\r")
                self._stream.flush()
                self._shown = 0

    def sent(self, done: int, total: int) -> None:
        """Show how much of a file has been sent."""
        if done < total:
            percent = f"{100 * done / total:.0f} %"
            self.show("upload", [f"{self._bar(done / total)}  {percent}", percent])
        else:
            self.show("convert", [""])

    def set_clock(self, elapsed_seconds: float) -> None:
        """Set the time that is shown: events of the past are shown with their own times."""
        with self._lock:
            self._start = time.monotonic() - max(0.0, elapsed_seconds)

    def state(self, state: job_pb2.Job.State) -> None:
        """Show the state of the job."""
        name = job_pb2.Job.State.Name(state).removeprefix("STATE_")
        self._set(name, (say(f"CLI_STATE_{name}"),))

    def progress(self, progress: job_pb2.Progress) -> None:
        """Show where the solver stands."""
        step = [harmless(progress.step)] if progress.step else []
        bar, parts, short, shortest = [], [], [], []
        if progress.frame:
            of_all = f"/{progress.frames}" if progress.frames else ""  # how many there will be is not always known
            step.append(f"{harmless(progress.frame_name)} ({progress.frame}{of_all})")
        key = f"{progress.stage} {progress.step} {progress.frame}"
        if key != self._stage:
            self._first_residual = 1.0  # it is relative: it begins at 1, or above for a poor first guess
        if progress.iteration and progress.residual > 0:
            self._first_residual = max(self._first_residual, progress.residual)
            bar = [self._bar(fallen(self._first_residual, progress.residual, progress.target_residual))]
            residual, target = f"{progress.residual:.1e}", f"{progress.target_residual:.0e}"
            iteration = say("CLI_ITERATION", n=progress.iteration)
            parts = [iteration, say("CLI_RESIDUAL", residual=residual, target=target)]
            short = [iteration, say("CLI_RESIDUAL_SHORT", residual=residual)]
            shortest = [iteration, residual]
        # From the whole to what matters most; the first that fits the terminal is shown.
        cut = [f"{text[:11]}..." if len(text) > 14 else text for text in step]
        variants = [step + bar + parts, cut + bar + parts, cut + parts, bar + short, short, shortest]
        self.show(progress.stage, ["  ".join(v) for v in variants], key)

    def show(self, stage: str, details: Sequence[str], key: str | None = None) -> None:
        """Show a stage by its name in the schema, and what there is to say about it, the longest form first."""
        reason = f"CLI_STAGE_{stage.upper()}"
        known = {"UPLOAD", "CONVERT", "READ", "PARTITION", "ASSEMBLE", "SETUP", "SOLVE", "OUTPUT", "DRAW"}
        name = say(reason) if stage.upper() in known else stage
        self._set(key or stage, tuple(f"{name}  {detail}".rstrip() for detail in details))

    def _set(self, key: str, texts: tuple[str, ...]) -> None:
        with self._lock:
            fresh = key != self._stage
            self._stage, self._texts = key, texts
            elapsed = time.monotonic() - self._start
            if self._live:
                self._paint()
            elif fresh or elapsed >= self._next_plain:
                self._next_plain = elapsed + PLAIN_SECONDS
                self._stream.write(f"{seconds(elapsed)}  {texts[0]}\n")
                self._stream.flush()

    def _tick(self) -> None:
        while not self._stop.wait(_REPAINT_SECONDS):
            with self._lock:
                if self._texts[0]:
                    self._paint()

    def _paint(self) -> None:
        columns = shutil.get_terminal_size().columns - 1
        elapsed = seconds(time.monotonic() - self._start)
        lines = [f"{elapsed}  {text}" for text in self._texts]
        line = next((one for one in lines if width(one) <= columns), lines[-1])
        while width(line) > columns:
            line = line[:-1]
        self._stream.write("\r" + pad(line, self._shown))
        self._stream.flush()
        self._shown = width(line)

    def _bar(self, fraction: float) -> str:
        full = round(_BAR * min(1.0, max(0.0, fraction)))
        done, rest = ("█", "░") if self._fancy else ("#", ".")
        return f"[{done * full}{rest * (_BAR - full)}]"


def fallen(first: float, now: float, target: float) -> float:
    """How much of its way, in decades, a residual has fallen: 0 to 1."""
    if not (first > 0 and now > 0 and target > 0) or first <= target:
        return 0.0
    return min(1.0, max(0.0, math.log(first / now) / math.log(first / target)))
