"""How the command talks: answers on standard output, everything else on standard error, in the user's language."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from dougong.client.plain import to_plain
from dougong.client.yaml_analysis import AnalysisFile, AnalysisFileError, line_of
from dougong.messages import FemError, InputError, render, user_language
from dougong.v1 import job_pb2

#: More violations than this are counted, not printed.
MAX_SHOWN = 20


def say(reason: str, /, **params: object) -> str:
    """A phrase of the catalogue in the user's language."""
    return render(reason, params, user_language())


def harmless(text: str) -> str:
    """A text without control characters: names from files and servers must not steer the terminal."""
    return "".join(c if c in "\n\t" or unicodedata.category(c) != "Cc" else "�" for c in text)


def answer(text: str = "") -> None:
    """Print what was asked for."""
    print(harmless(text), file=sys.stdout, flush=True)  # noqa: T201 - this is what a command is for


def tell(text: str) -> None:
    """Print what goes on."""
    print(harmless(text), file=sys.stderr, flush=True)  # noqa: T201


def answer_json(document: Any) -> None:
    """Print a JSON document."""
    answer(json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False))


def tell_error(error: FemError, source: AnalysisFile | None = None) -> None:
    """Print an error, and, if the analysis file is known, where in it each violation stands.

    Parameters
    ----------
    error
        What happened.
    source
        The file the analysis was read from.
    """
    if not isinstance(error, InputError):
        tell(error.text(user_language()))
        return
    known = error if isinstance(error, AnalysisFileError) else source
    tell_violations(error.violations, known)


def tell_violations(
    violations: Sequence[job_pb2.Violation], source: AnalysisFile | AnalysisFileError | None = None
) -> None:
    """Print violations: place, field, sentence, node and cell numbers."""
    chinese = user_language() == "zh"
    for found in violations[:MAX_SHOWN]:
        text = found.text_zh if chinese and found.text_zh else found.text
        place = source.place(found.field) if source is not None and (found.field or not _has_line(found)) else ""
        if source is not None and not place:
            place = f"{source.path.name}:{found.params['line']}"
        tell(": ".join(part for part in (place, found.field, text) if part))
        for reason, ids in (("CLI_NODES_CONCERNED", found.node_ids), ("CLI_CELLS_CONCERNED", found.cell_ids)):
            if ids:
                shown = ", ".join(map(str, ids[:10])) + (", ..." if len(ids) > 10 else "")
                tell("    " + say(reason, ids=shown))
    if len(violations) > MAX_SHOWN:
        tell(f"... +{len(violations) - MAX_SHOWN}")


def plain_violations(
    violations: Sequence[job_pb2.Violation], source: AnalysisFile | AnalysisFileError | None = None
) -> list[dict[str, Any]]:
    """Violations for a JSON document; with file and line where the analysis file is known."""
    out = []
    for found in violations:
        document = to_plain(found)
        if source is not None:
            line = int(found.params["line"]) if not found.field and _has_line(found) else 0
            document["file"] = str(source.path)
            document["line"] = line or line_of(source.lines, found.field) or 1
        out.append(document)
    return out


def _has_line(found: job_pb2.Violation) -> bool:
    return "line" in found.params


def width(text: str) -> int:
    """Columns a text takes on a terminal; Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """A text filled with spaces to a number of columns."""
    space = " " * max(0, columns - width(text))
    return space + text if right else text + space


def table(rows: Iterable[Sequence[str]], *, indent: str = "", right: Sequence[int] = ()) -> list[str]:
    """Lines of a table with aligned columns.

    Parameters
    ----------
    rows
        All of the same length.
    indent
        What each line begins with.
    right
        Columns that are aligned at their right side.
    """
    cells = [list(row) for row in rows]
    if not cells:
        return []
    widths = [max(width(row[k]) for row in cells) for k in range(len(cells[0]))]
    return [
        (indent + "  ".join(pad(text, widths[k], right=k in right) for k, text in enumerate(row))).rstrip()
        for row in cells
    ]


def count(number: int) -> str:
    """A whole number with separators: 107,811."""
    return f"{number:,}"


def number(value: float) -> str:
    """A number for people, four significant digits."""
    if value == 0:
        return "0"
    # Of the rounded number: 9999.99 is shown as 10,000.
    rounded = float(f"{value:.4g}")
    if 1e-3 <= abs(rounded) < 1e6:
        return f"{rounded:,.4g}" if abs(rounded) < 1e4 else f"{value:,.0f}"
    return f"{value:.3e}"


def numbers(values: Sequence[float], noise: float = 0.0) -> list[str]:
    """Numbers that stand together, all written in one way.

    Parameters
    ----------
    values
        Finite numbers.
    noise
        What is smaller than this part of the largest is rounding, and shown as 0.
    """
    largest = max((abs(v) for v in values), default=0.0)
    kept = [0.0 if abs(v) <= noise * largest else v for v in values]
    if not 1e-3 <= float(f"{largest:.4g}") < 1e6:
        return ["0" if v == 0 else f"{v:.3e}" for v in kept]
    plain = [number(v) for v in kept]
    return [f"{v:.9f}".rstrip("0").rstrip(".") if "e" in text else text for v, text in zip(kept, plain, strict=True)]


def size(size_bytes: float) -> str:
    """A size for people: 1.5 GB."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.3g} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.3g} TB"


def seconds(value: float) -> str:
    """A time for people."""
    if value >= 100:
        minutes, rest = divmod(round(value), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d} min"
    return say("CLI_SECONDS", n=f"{value:.1f}" if value < 10 else f"{value:.0f}")
