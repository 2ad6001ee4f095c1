"""A text file of a mesh: mapped, searched and parsed in chunks, with line numbers for messages."""

from __future__ import annotations

import mmap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats._text import decode, line_of, release
from dougong.meshes.formats.base import ReadError

#: Data are parsed in chunks of about so many bytes, so that no file stands in memory twice.
CHUNK_BYTES: Final = 1 << 20

#: The largest number a node or cell may have.
MAX_ID: Final = 2**53

_FORTRAN = bytes.maketrans(b"dD", b"ee")
_BLANK = (32, 9, 13)


class TextFile:
    """A text file, mapped read-only.

    Parameters
    ----------
    path
        The file.
    format_name
        For messages.

    Raises
    ------
    ReadError
        The file is empty.
    """

    def __init__(self, path: Path, format_name: str) -> None:
        self.format_name = format_name
        self._file = open(path, "rb")  # noqa: SIM115 - closed by __exit__
        try:
            self.data = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            self._file.close()
            raise ReadError("MESH_FILE_EMPTY", format=format_name, line=1) from None

    def __enter__(self) -> TextFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.data.close()
        self._file.close()

    def __len__(self) -> int:
        return len(self.data)

    def line_number(self, offset: int) -> int:
        """Count the line, from 1, in which the byte at `offset` lies."""
        return line_of(self.data, offset)

    def end_of_line(self, offset: int) -> int:
        """Find the next line feed, or the end of the file."""
        end = self.data.find(b"\n", offset)
        return len(self.data) if end < 0 else end

    def mentions(self, *words: bytes) -> bool:
        """Whether one of the words, in capitals, stands anywhere, in capitals or not. Far quicker than any reading."""
        longest = max(map(len, words))
        for start in range(0, len(self.data), CHUNK_BYTES):
            chunk = self.data[start : start + CHUNK_BYTES + longest].upper()
            if any(word in chunk for word in words):
                return True
        return False

    def chunks(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Cut a range into pieces of about `CHUNK_BYTES` that end with a line, each with its offset."""
        while start < end:
            stop = min(start + CHUNK_BYTES, end)
            if stop < end:
                last = self.data.rfind(b"\n", start, stop)
                stop = last + 1 if last >= 0 else min(self.end_of_line(stop) + 1, end)
            yield start, self.data[start:stop]
            release(self.data)
            start = stop

    def lines(self, start: int, end: int) -> Iterator[tuple[int, str]]:
        """Cut a range into lines, stripped, without blank ones, each with its offset."""
        for base, chunk in self.chunks(start, end):
            at = base
            for line in chunk.split(b"\n"):
                text = line.strip()
                if text:
                    yield at, decode(text)
                at += len(line) + 1


@contextmanager
def reading(path: Path, format_name: str) -> Iterator[TextFile]:
    """Open a text file for a reader; see `TextFile`.

    Coordinates may overflow or be no numbers: the checks that follow for all formats say so.
    """
    with TextFile(path, format_name) as file, np.errstate(all="ignore"):
        yield file


def shorten(text: str) -> str:
    """Cut a piece of the file to what a message may show."""
    text = "".join(c if c.isprintable() else "?" for c in text[:100])
    return text if len(text) <= 60 else text[:57] + "..."


def comma_table(chunk: bytes, dtype: type[Any]) -> tuple[NDArray[Any], NDArray[np.int64]] | None:
    """Parse the numbers of comma-separated lines.

    Parameters
    ----------
    chunk
        Whole lines. A line may end with a comma.
    dtype
        np.float64 or np.int64. Exponents may be written with D.

    Returns
    -------
    values
        All numbers, one after another.
    per_line
        shape (n_lines,), int64 - how many of them are on each line.

        None when anything is not such a number, a field or a line is empty: then it is to be read line by line.
    """
    text = chunk.strip()
    if not text:
        return np.empty(0, dtype), np.empty(0, np.int64)
    if dtype is np.float64:
        text = text.translate(_FORTRAN)
    raw = np.frombuffer(bytearray(text), np.uint8)
    feeds = np.flatnonzero(raw == 10)
    commas = np.flatnonzero(raw == 44)
    ends = np.append(feeds, len(raw))
    per_line = np.diff(np.searchsorted(commas, ends), prepend=0) + 1
    last = ends - 1
    for _ in range(8):
        blank = np.isin(raw[last], _BLANK)
        if not blank.any():
            break
        last = last - blank
    trailing = raw[last] == 44
    per_line = per_line - trailing
    raw[feeds] = np.where(trailing[:-1], 32, 44)  # the line feed separates unless a comma already does
    if trailing[-1]:
        raw[last[-1]] = 32
    values = parse_numbers(raw.tobytes(), dtype, " , ")
    return None if values is None or len(values) != per_line.sum() else (values, per_line)


def blank_table(chunk: bytes, dtype: type[Any]) -> tuple[NDArray[Any], NDArray[np.int64]] | None:
    """Parse the numbers of lines that separate them by white space; else as `comma_table`."""
    text = chunk.strip()
    if not text:
        return np.empty(0, dtype), np.empty(0, np.int64)
    if dtype is np.float64:
        text = text.translate(_FORTRAN)
    raw = np.frombuffer(text, np.uint8)
    filled = raw > 32
    first = np.flatnonzero(filled & ~np.concatenate([[False], filled[:-1]]))
    ends = np.append(np.flatnonzero(raw == 10), len(raw))
    per_line = np.diff(np.searchsorted(first, ends), prepend=0)
    values = parse_numbers(text, dtype, " ")
    return None if values is None or len(values) != len(first) else (values, per_line)


def parse_numbers(text: bytes, dtype: type[Any], separator: str) -> NDArray[Any] | None:
    """Parse all numbers of a text; None when it holds anything else.

    Parameters
    ----------
    text
        Numbers between separators.
    dtype
        np.float64 or np.int64.
    separator
        As in `numpy.fromstring`: a blank stands for any white space.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.fromstring(text.rstrip(), dtype, sep=separator)
        except (DeprecationWarning, ValueError):
            return None


def bad_number(file: TextFile, offset: int, text: str) -> ReadError:
    """Make the error of a text that is not the number which should stand there."""
    return ReadError("MESH_BAD_NUMBER", line=file.line_number(offset), text=shorten(text) or '""')


def parse_float(text: str, file: TextFile, offset: int) -> float:
    """Parse a number, its exponent also written as in Fortran.

    Raises
    ------
    ReadError
        It is none.
    """
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return float(text.lower().replace("d", "e"))
    except ValueError:
        raise bad_number(file, offset, text) from None


def parse_id(text: str, file: TextFile, offset: int) -> int:
    """Parse a number of a node, a cell or a property.

    Raises
    ------
    ReadError
        It is no integer, or beyond `MAX_ID`.
    """
    try:
        number = int(text) if len(text) <= 20 else MAX_ID + 1
    except ValueError:
        number = MAX_ID + 1
    if abs(number) > MAX_ID:
        raise bad_number(file, offset, text)
    return number
