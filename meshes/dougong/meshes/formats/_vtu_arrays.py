"""Arrays of a VTU file: text, base64 or raw, plain or compressed.

Source: VTK file formats, "XML file formats", and the header of compressed blocks: number of blocks, size of a block,
size of the last block, compressed size of each.
"""

from __future__ import annotations

import binascii
import lzma
import mmap
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.formats._text import parse_numbers, shown, skip_space
from dougong.meshes.formats.base import ReadError

_DTYPES = {
    "Int8": "i1", "UInt8": "u1", "Int16": "i2", "UInt16": "u2", "Int32": "i4", "UInt32": "u4", "Int64": "i8",
    "UInt64": "u8", "Float32": "f4", "Float64": "f8",
}  # fmt: skip
_COMPRESSORS = ("", "vtkZLibDataCompressor", "vtkLZMADataCompressor")
#: No compressor here makes data smaller than this part; LZMA gets further only on data without information.
_BEST_RATIO = 8192
_SLACK = 1 << 16


@dataclass(frozen=True)
class ArraySpec:
    """A DataArray element.

    Attributes
    ----------
    name, type, format
        Its attributes.
    components
        Numbers a tuple.
    offset
        Of appended data.
    start, end
        Where its text lies in the file.
    """

    name: str
    type: str
    format: str
    components: int
    offset: int
    start: int
    end: int


@dataclass(frozen=True)
class Encoding:
    """How a file holds its arrays.

    Attributes
    ----------
    order
        "<" or ">".
    header
        Type of the sizes that precede data.
    compressor
        Its name; empty when there is none.
    appended_at
        Where appended data begin; -1 when there are none.
    appended_raw
        Raw or base64.
    """

    order: str
    header: np.dtype[Any]
    compressor: str
    appended_at: int
    appended_raw: bool


def check_compressor(name: str) -> None:
    """Refuse a compressor that cannot be undone here."""
    if name not in _COMPRESSORS:
        raise ReadError("MESH_FEATURE_UNSUPPORTED", feature=shown(name.encode()))


def read_array(data: mmap.mmap, spec: ArraySpec, encoding: Encoding) -> NDArray[Any]:
    """The numbers of an array, flat."""
    if spec.type not in _DTYPES:
        raise ReadError("MESH_FEATURE_UNSUPPORTED", feature=f"{shown(spec.name.encode())}: {shown(spec.type.encode())}")
    dtype = np.dtype(encoding.order + _DTYPES[spec.type])
    if spec.format == "ascii":
        whole = dtype.kind in "iu"
        return parse_numbers(data, spec.start, spec.end, np.int64 if whole else np.float64, spec.name)
    if spec.format == "binary":
        source: _Base64 | _Raw = _Base64(data, _skip(data, spec.start, spec.end), spec.end, spec.name)
    elif spec.format == "appended":
        if encoding.appended_at < 0:
            raise ReadError("MESH_SECTION_MISSING", section="AppendedData")
        at = encoding.appended_at + spec.offset
        if not encoding.appended_at <= at <= len(data):
            raise ReadError("MESH_TRUNCATED", section=spec.name, offset=len(data))
        source = (_Raw if encoding.appended_raw else _Base64)(data, at, len(data), spec.name)
    else:
        raise ReadError("MESH_FEATURE_UNSUPPORTED", feature=f"format {shown(spec.format.encode())}")
    content = _compressed(source, encoding) if encoding.compressor else _plain(source, encoding)
    if len(content) % dtype.itemsize:
        raise ReadError("MESH_BYTES_INVALID", section=spec.name, offset=source.at, found=str(len(content)))
    return np.frombuffer(content, dtype=dtype)


def _skip(data: mmap.mmap, at: int, end: int) -> int:
    return min(skip_space(data, at), end) if at < end else at


class _Raw:
    """Bytes as they are."""

    def __init__(self, data: mmap.mmap, at: int, end: int, name: str) -> None:
        self._data, self.at, self._end, self.name = data, at, end, name

    def take(self, count: int) -> bytes:
        """The next bytes."""
        left = self._end - self.at
        if count > left:
            raise ReadError("MESH_COUNT_IMPOSSIBLE", section=self.name, count=count, possible=left)
        self.at += count
        return self._data[self.at - count : self.at]

    def left(self) -> int:
        """How many bytes can follow at most."""
        return self._end - self.at

    def turn(self) -> None:
        """A new encoded part begins."""


class _Base64:
    """Bytes in base64; each part is encoded by itself."""

    def __init__(self, data: mmap.mmap, at: int, end: int, name: str) -> None:
        self._data, self.at, self._end, self.name = data, at, end, name
        self._rest = b""

    def take(self, count: int) -> bytes:
        """The next bytes."""
        wanted = count - len(self._rest)
        if wanted > 0:
            chars = 4 * -(-wanted // 3)
            if chars > self._end - self.at:
                raise ReadError("MESH_COUNT_IMPOSSIBLE", section=self.name, count=count, possible=self.left())
            text = self._data[self.at : self.at + chars]
            try:
                self._rest += binascii.a2b_base64(text, strict_mode=True)
            except binascii.Error:
                found = shown(text)
                raise ReadError("MESH_BYTES_INVALID", section=self.name, offset=self.at, found=found) from None
            self.at += chars
        if len(self._rest) < count:
            raise ReadError("MESH_TRUNCATED", section=self.name, offset=self.at)
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def left(self) -> int:
        """How many bytes can follow at most."""
        return (self._end - self.at) // 4 * 3 + len(self._rest)

    def turn(self) -> None:
        """A new encoded part begins; what is left of the last group of characters is padding."""
        self._rest = b""


def _plain(source: _Raw | _Base64, encoding: Encoding) -> bytes:
    header = encoding.header
    count = int(np.frombuffer(source.take(header.itemsize), dtype=header)[0])
    return source.take(count)


def _compressed(source: _Raw | _Base64, encoding: Encoding) -> bytes | bytearray:
    header = encoding.header
    begin = source.at
    n_blocks = int(np.frombuffer(source.take(header.itemsize), dtype=header)[0])
    if n_blocks == 0:
        return b""
    if (n_blocks + 2) * header.itemsize > source.left():
        raise ReadError(
            "MESH_COUNT_IMPOSSIBLE", section=source.name, count=n_blocks, possible=source.left() // header.itemsize
        )
    sizes = np.frombuffer(source.take((n_blocks + 2) * header.itemsize), dtype=header)
    source.turn()
    block, last = int(sizes[0]), int(sizes[1])
    packed = [int(v) for v in sizes[2:]]
    if sum(packed) > source.left():
        raise ReadError("MESH_COUNT_IMPOSSIBLE", section=source.name, count=sum(packed), possible=source.left())
    total = (n_blocks - 1) * block + (last or block)
    if total > _BEST_RATIO * sum(packed) + _SLACK:
        raise ReadError("MESH_COUNT_IMPOSSIBLE", section=source.name, count=total, possible=_BEST_RATIO * sum(packed))
    content = bytearray()
    for number, size in enumerate(packed):
        expected = (last or block) if number == n_blocks - 1 else block
        piece = _unpack(source.take(size), expected, encoding.compressor)
        if piece is None or len(piece) != expected:
            found = str(None if piece is None else len(piece))
            raise ReadError("MESH_BYTES_INVALID", section=source.name, offset=begin, found=found)
        content += piece
    return content


def _unpack(packed: bytes, expected: int, compressor: str) -> bytes | None:
    """One block, never more than was announced; None when it is damaged."""
    try:
        if compressor == "vtkZLibDataCompressor":
            return zlib.decompressobj().decompress(packed, max(expected, 1))
        return lzma.LZMADecompressor().decompress(packed, max(expected, 1))
    except (zlib.error, lzma.LZMAError, EOFError):
        return None
