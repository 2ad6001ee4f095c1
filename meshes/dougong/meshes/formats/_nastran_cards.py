"""Bulk data entries: where they are, and their fields in free, small and large field format.

Source: MSC/NX Nastran Quick Reference Guide, "Format of bulk data entries".
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from dougong.meshes.formats._text import decode
from dougong.meshes.formats._textfile import TextFile

_LINES_AT_ONCE = 50_000
_FREE_WIDTH = 24
_UPPER = np.arange(256, dtype=np.uint8)
_UPPER[97:123] -= 32


class Cards:
    """All entries of a deck.

    Parameters
    ----------
    file
        The deck.

    Attributes
    ----------
    names
        The different names, in capitals, without a star. Index 0 is "" (continuation lines).
    kind
        shape (n_lines,), int32 - index into `names` of each line that is neither blank nor a comment.
    card
        shape (n_cards,), int64 - the line with which each entry begins.
    lines
        shape (n_cards,), int64 - how many lines it has.
    """

    def __init__(self, file: TextFile) -> None:
        self.file = file
        self.raw: NDArray[np.uint8] = np.frombuffer(file.data, np.uint8)
        starts = [np.zeros(1, np.int64)]
        step = 1 << 24
        for at in range(0, len(self.raw), step):
            starts.append(np.flatnonzero(self.raw[at : at + step] == 10) + at + 1)
        all_starts = np.concatenate(starts)
        ends = np.append(all_starts[1:] - 1, len(self.raw))
        ends -= (ends > all_starts) & (self.raw[np.maximum(ends - 1, 0)] == 13)
        self.start, self.end = all_starts, ends
        self.names: list[str] = [""]
        self._index: dict[bytes, int] = {}
        self._classify()
        self.card = np.flatnonzero(self.kind > 0)
        self.lines = np.diff(self.card, append=len(self.kind))

    def close(self) -> None:
        """Let go of the mapped file."""
        del self.raw

    def columns(self, lines: NDArray[np.int64], first: int, last: int) -> NDArray[np.uint8]:
        """Cut columns out of lines; shape (n, last - first), blank after the end of a line."""
        return self._window(self.start[lines] + first, self.end[lines], last - first)

    def _window(self, start: NDArray[np.int64], end: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
        """Copy `width` characters from each start; those at or after the end are blank."""
        size = len(self.raw)
        if size >= width:
            safe = np.clip(start, 0, size - width)
            out = sliding_window_view(self.raw, width)[safe]
        else:
            safe = np.zeros_like(start)
            out = np.full((len(start), width), 32, np.uint8)
            out[:, :size] = self.raw
        for row in np.flatnonzero(safe != start):  # at most the lines within one width of the end of the file
            tail = self.raw[start[row] : end[row]]
            out[row] = 32
            out[row, : len(tail)] = tail[:width]
        length = end - start
        short = length < width
        if short.any():
            out[np.arange(width)[None, :] >= length[:, None]] = 32
        return out

    def _classify(self) -> None:
        kinds, large, free, tabbed, keep = [], [], [], [], []
        tabs = np.flatnonzero(self.raw == 9) if self.file.data.find(b"\t") >= 0 else np.empty(0, np.int64)
        for at in range(0, len(self.start), _LINES_AT_ONCE):
            lines = np.arange(at, min(at + _LINES_AT_ONCE, len(self.start)))
            head = _UPPER[self.columns(lines, 0, 10)]
            head[head == 9] = 32
            shown = head != 32
            first = np.take_along_axis(head, np.argmax(shown, axis=1)[:, None], axis=1)[:, 0]
            real = (self.end[lines] > self.start[lines]) & (first != ord("$"))
            real &= shown.any(axis=1) | (self.end[lines] - self.start[lines] > 8)
            comma = (head == ord(",")).any(axis=1)
            has_tab = np.searchsorted(tabs, self.end[lines]) > np.searchsorted(tabs, self.start[lines])
            word = head[:, :8].copy()
            # A name ends at the first comma.
            word[np.cumsum(word == ord(","), axis=1) > 0] = 32
            star = (word == ord("*")).any(axis=1)
            blank = (word == 32).all(axis=1)
            continued = blank | (first == ord("+")) | (first == ord("*"))
            word[word == ord("*")] = 32
            kind = np.zeros(len(lines), np.int32)
            of_interest = np.flatnonzero(real & ~continued)
            keys, inverse = np.unique(np.ascontiguousarray(word[of_interest]).view(np.uint64), return_inverse=True)
            if len(keys):
                kind[of_interest] = np.array([self._name(k.tobytes()) for k in keys], np.int32)[inverse.ravel()]
            keep.append(real)
            kinds.append(kind[real])
            large.append(star[real])
            free.append(comma[real])
            tabbed.append(has_tab[real])
        mask = np.concatenate(keep)
        self.start, self.end = self.start[mask], self.end[mask]
        self.kind = np.concatenate(kinds)
        self.large = np.concatenate(large)
        self.free = np.concatenate(free)
        self.tabs = np.concatenate(tabbed)

    def _name(self, key: bytes) -> int:
        if key not in self._index:
            # "SET 1 = ..." and "BEGIN BULK" are no entries of fields: their name is the first word.
            self._index[key] = len(self.names)
            words = key.decode("latin-1").split()
            # meshio writes an underscore behind the names of quadratic elements.
            self.names.append(words[0].rstrip("_") if words else "?")
        return self._index[key]

    def cut(self, first: int, last: int) -> None:
        """Keep only the entries with indices first to last."""
        self.card, self.lines = self.card[first:last], self.lines[first:last]

    def of(self, *names: str) -> NDArray[np.int64]:
        """Find the entries of these names, as indices into `card`."""
        wanted = np.array([n in names for n in self.names])
        return np.flatnonzero(wanted[self.kind[self.card]])

    def text(self, line: int) -> str:
        """Read a line."""
        return decode(self.file.data[int(self.start[line]) : int(self.end[line])])

    def line_number(self, index: int) -> int:
        """Count the line, from 1, with which an entry begins."""
        return self.file.line_number(int(self.start[self.card[index]]))

    def fields(self, index: int, most: int) -> list[str]:
        """Read the fields of an entry after its name, at most so many; missing ones are empty."""
        out: list[str] = []
        first = int(self.card[index])
        for line in range(first, first + int(self.lines[index])):
            if len(out) >= most:
                break
            text = self.text(line)
            if "," in text[:10]:
                entries = [e.strip() for e in text.split(",")]
                count = 4 if "*" in entries[0] else 8
                entries = entries[1 : count + 1]
            else:
                text = text.expandtabs(8)
                count, width = (4, 16) if "*" in text[:8] else (8, 8)
                entries = [text[8 + width * k : 8 + width * (k + 1)].strip() for k in range(count)]
            out += entries + [""] * (count - len(entries))
        return (out + [""] * most)[:most]

    def tables(
        self, chosen: NDArray[np.int64], most: int
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8] | None]]:
        """Cut the fields of many entries.

        Parameters
        ----------
        chosen
            Indices of entries.
        most
            Number of fields wanted.

        Yields
        ------
        entries
            Some of `chosen`.
        columns
            shape (n, m, width), uint8, with m <= most: the fields that come after in all of these entries are blank.
            None when these entries are to be read one by one with `fields`.
        """
        for per_line, width in ((8, 8), (4, 16), (8, 0)):
            n_lines = -(-most // per_line)
            first = self.card[chosen]
            used = np.minimum(self.lines[chosen], n_lines)
            alike = np.ones(len(chosen), bool)
            for k in range(n_lines):
                line = np.where(k < used, first + k, first)
                alike &= (self.large[line] == (width == 16)) & (self.free[line] == (width == 0)) & ~self.tabs[line]
            same = chosen[alike]
            for at in range(0, len(same), _LINES_AT_ONCE // n_lines):
                part = same[at : at + _LINES_AT_ONCE // n_lines]
                blocks: list[NDArray[np.uint8]] = []
                for k in range(min(n_lines, int(self.lines[part].max()))):
                    there = k < self.lines[part]
                    line = np.where(there, self.card[part] + k, self.card[part])
                    if width:
                        block = self.columns(line, 8, 72).reshape(len(part), per_line, width)
                    else:
                        found = self._between_commas(line)
                        if found is None:
                            break
                        block = found
                    block[~there] = 32
                    blocks.append(block)
                else:
                    yield part, _side_by_side(blocks)[:, :most]
                    continue
                yield part, None
            chosen = chosen[~alike]
        if len(chosen):
            yield chosen, None

    def _between_commas(self, lines: NDArray[np.int64]) -> NDArray[np.uint8] | None:
        """Cut eight fields out of lines in free format; shape (n, 8, width). None when one is longer than the width."""
        start, end = self.start[lines], self.end[lines]
        low, high = int(start.min()), int(end.max())
        commas = np.append(np.flatnonzero(self.raw[low:high] == 44) + low, high)
        index = np.searchsorted(commas, start)
        count = np.searchsorted(commas, end) - index
        cuts = []
        for k in range(8):
            begin = np.where(k < count, commas[np.minimum(index + k, len(commas) - 1)] + 1, end)
            stop = np.where(k + 1 < count, commas[np.minimum(index + k + 1, len(commas) - 1)], end)
            cuts.append((begin, stop))
        longest = max(int((stop - begin).max()) for begin, stop in cuts)
        width = -(-max(longest, 1) // 8) * 8
        if width > _FREE_WIDTH:
            return None
        return np.stack([self._window(begin, stop, width) for begin, stop in cuts], axis=1)


def _side_by_side(blocks: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Join the fields of several lines, shapes (n, fields, width), to the greatest width."""
    width = max(b.shape[2] for b in blocks)
    wide = [np.pad(b, ((0, 0), (0, 0), (0, width - b.shape[2])), constant_values=32) for b in blocks]
    return wide[0] if len(wide) == 1 else np.concatenate(wide, axis=1)
