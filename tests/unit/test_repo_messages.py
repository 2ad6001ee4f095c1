"""The message catalogue is complete, and agrees with the code that uses it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from dougong.messages.catalogue import UnknownReasonError, catalogue, entry

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    file
    for root in ("proto", "meshes", "solver", "server", "client")
    for file in (ROOT / root).rglob("*.py")
    if not file.name.endswith(("_pb2.py", "_pb2_grpc.py"))
)
KEYS = {"en", "en_do", "zh", "zh_do"}
REASON = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
#: Called with a reason code and all parameters of its sentence.
TELLING = {
    "violation",
    "notice",
    "FemError",
    "NotFound",
    "Conflict",
    "ResourceLimit",
    "DataLoss",
    "SolveError",
    "WorkerLost",
    "ReadError",
}
#: A first argument in capitals that is no reason code: environment variables, enum names, SQL.
NOT_TELLING = {"get", "getenv", "pop", "setdefault", "Value", "Name", "getattr", "setenv", "sysconf", "startswith"}


def gaps(text: str) -> set[str]:
    """Names of the gaps of a sentence."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def called(call: ast.Call) -> str:
    """Last part of the name of the function that is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def calls_with_reason() -> Iterator[tuple[str, ast.Call, str]]:
    """Every call whose first argument looks like a reason code: place, call, code."""
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or called(node) in NOT_TELLING:
                continue
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and REASON.fullmatch(first.value):
                yield f"{file.relative_to(ROOT)}:{node.lineno}", node, first.value


@pytest.mark.parametrize("reason", sorted(catalogue()))
def test_every_entry_is_complete_in_both_languages(reason: str) -> None:
    entry = catalogue()[reason]
    assert set(entry) == KEYS
    assert entry["en"].strip()
    assert entry["zh"].strip()
    assert bool(entry["en_do"].strip()) == bool(entry["zh_do"].strip())
    assert gaps(entry["en"] + entry["en_do"]) == gaps(entry["zh"] + entry["zh_do"])
    assert re.search(r"[\u4e00-\u9fff]", entry["zh"]), "the Chinese sentence has no Chinese character"


def test_an_entry_read_alone_is_that_of_the_catalogue() -> None:
    for reason, texts in catalogue().items():
        assert entry(reason) == texts
    with pytest.raises(UnknownReasonError):
        entry("NO_SUCH_REASON")


def test_every_reason_in_the_code_is_in_the_catalogue() -> None:
    known = catalogue()
    unknown = [f"{place}: {reason}" for place, call, reason in calls_with_reason() if reason not in known]
    assert not unknown, "\n".join(unknown)


def test_every_gap_is_filled_by_the_code() -> None:
    known = catalogue()
    unfilled = []
    for place, call, reason in calls_with_reason():
        names = {keyword.arg for keyword in call.keywords}
        if called(call) not in TELLING or None in names or reason not in known:
            continue  # None: some parameters come in a mapping that only the running program knows.
        missing = gaps(known[reason]["en"] + known[reason]["en_do"]) - {str(name) for name in names}
        if missing:
            unfilled.append(f"{place}: {reason} needs {sorted(missing)}")
    assert not unfilled, "\n".join(unfilled)


def test_no_entry_is_unused() -> None:
    used, prefixes = set(), set()
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                used.add(node.value)
            elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                prefixes.add(node.values[0].value)
    # Some names are put together, as in f"CLI_EXIT_{code}"; the fixed part must then say whose they are.
    prefixes = {text for text in prefixes if re.fullmatch(r"[A-Z]+_[A-Z_]*_", text)}
    unused = [reason for reason in sorted(catalogue().keys() - used) if not reason.startswith(tuple(prefixes))]
    assert not unused, f"no code uses {unused}"
