"""Answers that somebody else published: each comparison is asserted, and noted for `make validation`.

A module that uses it says `pytestmark = pytest.mark.published`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

#: File to which each comparison is added as a line of JSON; set by scripts/validation.py.
RECORD = os.environ.get("DOUGONG_VALIDATION_RECORD", "")


def check(
    *, case: str, quantity: str, source: str, target: float, ours: float, tolerance: float, unit: str = ""
) -> None:
    """Compare an answer with a published one.

    Parameters
    ----------
    case
        For example "NAFEMS LE10".
    quantity
        What is compared, where: "stress yy at D".
    source
        Who published the target, where.
    target, ours
        In `unit`.
    tolerance
        Relative to the target.
    """
    ours = float(ours)
    ok = bool(abs(ours - target) <= tolerance * abs(target))
    if RECORD:
        row = {
            "case": case,
            "quantity": quantity,
            "source": source,
            "target": target,
            "ours": ours,
            "unit": unit,
            "tolerance": tolerance,
            "ok": ok,
        }
        with Path(RECORD).open("a", encoding="utf-8") as record:
            record.write(json.dumps(row, ensure_ascii=False) + "\n")
    assert ours == pytest.approx(target, rel=tolerance), f"{case}, {quantity}"
