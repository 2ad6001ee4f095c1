"""Numbers in the lines of a universal file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats._textfile import MAX_ID, TextFile, bad_number, blank_table
from dougong.meshes.formats.base import ReadError


def read_numbers(file: TextFile, start: int, end: int, dtype: type[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Read all numbers of a range, and how many are on each line.

    Numbers of ten columns may touch; then they are cut by columns.

    Raises
    ------
    ReadError
        With the line that holds something else.
    """
    values: list[NDArray[Any]] = []
    counts: list[NDArray[np.int64]] = []
    for offset, chunk in file.chunks(start, end):
        table = blank_table(chunk, dtype)
        # Touching columns read as one number that is far too large.
        if table is None or (dtype is np.int64 and len(table[0]) and int(np.abs(table[0]).max()) > MAX_ID):
            table = _by_line(file, offset, chunk, dtype)
        values.append(table[0])
        counts.append(table[1])
    if not values:
        return np.empty(0, dtype), np.empty(0, np.int64)
    return np.concatenate(values), np.concatenate(counts)


def _by_line(file: TextFile, start: int, chunk: bytes, dtype: type[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    values: list[Any] = []
    counts: list[int] = []
    at = start
    for line in chunk.split(b"\n"):
        text = line.decode("latin-1").rstrip()
        if text:
            fields = text.split()
            try:
                numbers = [_number(f, dtype) for f in fields]
            except ValueError:
                try:
                    numbers = [_number(text[k : k + 10], dtype) for k in range(0, len(text), 10)]
                except ValueError:
                    raise bad_number(file, at, text.strip()) from None
            values += numbers
            counts.append(len(numbers))
        at += len(line) + 1
    return np.array(values, dtype), np.array(counts, np.int64)


def _number(text: str, dtype: type[Any]) -> Any:
    if dtype is np.float64:
        return float(text.lower().replace("d", "e"))
    number = int(text)
    if abs(number) > MAX_ID:
        raise ValueError(text)
    return number


def read_table(file: TextFile, start: int, end: int, dtype: type[Any], pattern: tuple[int, ...]) -> NDArray[Any]:
    """Read records of several lines, shape (n, sum of the pattern).

    Parameters
    ----------
    file, start, end
        The range.
    dtype
        np.float64 or np.int64.
    pattern
        How many numbers there are on each line of a record.

    Raises
    ------
    ReadError
        With the line that has more or fewer.
    """
    values, counts = read_numbers(file, start, end, dtype)
    expected = np.resize(np.array(pattern), len(counts))
    if not np.array_equal(counts, expected) or len(counts) % len(pattern):
        wrong = np.flatnonzero(counts != expected)
        row = int(wrong[0]) if len(wrong) else len(counts)
        raise ReadError(
            "MESH_NUMBERS_ON_LINE",
            line=_line_of_row(file, start, end, row),
            expected=int(pattern[row % len(pattern)]),
            found=int(counts[row]) if row < len(counts) else 0,
        )
    return values.reshape(-1, sum(pattern))


def _line_of_row(file: TextFile, start: int, end: int, row: int) -> int:
    """Count the line of a row; rows leave out blank lines only where they stand first or last in a chunk."""
    at = start
    for k, (offset, _) in enumerate(file.lines(start, end)):
        at = offset
        if k == row:
            return file.line_number(offset)
    return file.line_number(at) + 1
