"""CRC-32 of a file from those of its pieces, so that every rank sums up what it writes and nobody reads it again.

A CRC is the remainder of a polynomial over GF(2), the bits of the data, divided by a fixed one. So that of two pieces
one after the other is that of the first, moved up by the bits of the second, plus that of the second. What CRC-32 does
before and after the division (it inverts bits) cancels in this sum.

Source: Peterson, Brown, "Cyclic codes for error detection", Proceedings of the IRE 49, 1961.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

#: The polynomial of CRC-32 without x^32, lowest power in the highest bit, as in zlib.
_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31
_X8 = _ONE >> 8


def combine(pieces: Iterable[tuple[int, int]]) -> int:
    """CRC-32, as `zlib.crc32`, of consecutive pieces.

    Parameters
    ----------
    pieces
        CRC-32 and number of bytes of each.
    """
    crc = 0
    for of_piece, size in pieces:
        crc = _times(_power(size), crc) ^ of_piece
    return crc


def _times(a: int, b: int) -> int:
    """Remainder of the product of two polynomials."""
    product = 0
    for bit in range(31, -1, -1):
        if a >> bit & 1:
            product ^= b
        # b times x
        b = b >> 1 ^ (_POLYNOMIAL if b & 1 else 0)
    return product


@lru_cache(maxsize=256)
def _power(n: int) -> int:
    """Remainder of x^(8 n), by squaring."""
    result, square = _ONE, _X8
    while n:
        if n & 1:
            result = _times(result, square)
        square = _times(square, square)
        n >>= 1
    return result
