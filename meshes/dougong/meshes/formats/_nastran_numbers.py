"""Numbers in fixed columns, many at once."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats._textfile import MAX_ID, parse_numbers

_BLANK: Final = 32
_SHORT_EXPONENT = re.compile(r"(?<=[0-9.])([+-])")


def parse_integers(columns: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Parse whole numbers that are not negative.

    Parameters
    ----------
    columns
        shape (n, width), uint8 - the characters of each field.

    Returns
    -------
    values
        shape (n,), int64; a blank field is 0.
    good
        shape (n,), bool; whether the field is blank or such a number of at most 15 digits.
    """
    value = np.zeros(len(columns), np.int64)
    good = np.ones(len(columns), bool)
    count = np.zeros(len(columns), np.int8)
    runs = np.zeros(len(columns), np.int8)
    before = np.zeros(len(columns), bool)
    for column in np.ascontiguousarray(columns.T):  # (n,) characters at a time
        digit = column - np.uint8(48)  # wraps around below "0"
        is_digit = digit <= 9
        np.multiply(value, 10, out=value, where=is_digit)
        np.add(value, digit, out=value, where=is_digit)
        good &= is_digit | (column == _BLANK)
        count += is_digit
        runs += is_digit & ~before
        before = is_digit
    return value, good & (runs <= 1) & (count <= 15)


def parse_reals(columns: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """Parse real numbers; the E of the exponent may be a D, or missing before its sign ("1.5-3").

    Parameters
    ----------
    columns
        shape (n, width), uint8 - the characters of each field.

    Returns
    -------
    ndarray or None
        shape (n,), float64; a blank field is 0. None when a field is anything else.
    """
    n, width = columns.shape
    if n == 0:
        return np.empty(0)
    text = np.full((n, width + 2), _BLANK, np.uint8)
    text[:, :width] = columns
    text[(text == ord("d")) | (text == ord("D"))] = ord("e")
    sign = (text == ord("+")) | (text == ord("-"))
    before = np.roll(text, 1, axis=1)
    short = sign & (((before >= 48) & (before <= 57)) | (before == ord(".")))
    short[:, 0] = False
    rows = np.flatnonzero(short.any(axis=1))
    if len(rows):
        at = np.argmax(short[rows], axis=1)
        source = np.arange(width + 2)[None, :] - (np.arange(width + 2)[None, :] > at[:, None])
        text[rows] = np.take_along_axis(text[rows], source, axis=1)
        text[rows, at] = ord("e")
    blank = np.ones(n, bool)
    for column in np.ascontiguousarray(columns.T):
        blank &= column == _BLANK
    text[blank, 0] = ord("0")
    values = parse_numbers(text.tobytes(), np.float64, " ")
    # Every field holds at least one number, so that the count says that each holds exactly one.
    return values if values is not None and len(values) == n else None


def parse_real(text: str) -> float:
    """Parse one real number as `parse_reals` does. Raises ValueError."""
    text = text.strip().lower().replace("d", "e")
    if not text:
        return 0.0
    try:
        return float(text)
    except ValueError:
        return float(_SHORT_EXPONENT.sub(r"e\1", text, count=1))


def parse_integer(text: str) -> int:
    """Parse one whole number that is not negative; a blank one is 0. Raises ValueError."""
    text = text.strip()
    if not text:
        return 0
    if len(text) > 16 or not text.lstrip("+").isdecimal() or int(text) > MAX_ID:
        raise ValueError(text)
    return int(text)
