"""Message-level checks: sizes, ranges and forms that need no mesh and no physics. Each finding names its field path."""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from collections.abc import Sequence

from dougong.messages import InputError, violation
from dougong.v1 import job_pb2

#: Names are for lists and messages.
MAX_NAME = 1000

MAX_PAGE = 1000
DEFAULT_PAGE = 100

_SHA256 = re.compile("[0-9a-f]{64}")


class Checks:
    """Collects violations, then raises them together."""

    def __init__(self) -> None:
        self._found: list[job_pb2.Violation] = []

    def add(self, reason: str, field: str, **params: object) -> None:
        """Note a violation."""
        self._found.append(violation(reason, field, **params))  # type: ignore[arg-type]

    def uuid(self, value: str, field: str) -> str:
        """A UUID in its canonical form."""
        try:
            return str(uuid.UUID(value))
        except ValueError:
            self.add("NOT_A_UUID", field, value=value[:100])
            return ""

    def sha256(self, value: str, field: str) -> None:
        """64 lower-case hexadecimal digits."""
        if _SHA256.fullmatch(value) is None:
            self.add("NOT_A_SHA256", field, value=value[:100])

    def text(self, value: str, field: str, limit: int = MAX_NAME) -> None:
        """Not longer than the limit."""
        if len(value) > limit:
            self.add("TEXT_TOO_LONG", field, length=len(value), limit=limit)

    def range(self, value: int, field: str, low: int, high: int | None = None) -> None:
        """Between the limits, both included."""
        if value < low or (high is not None and value > high):
            expected = f">= {low}" if high is None else f"{low}..{high}"
            self.add("VALUE_OUT_OF_RANGE", field, value=value, expected=expected)

    def count(self, values: Sequence[object], field: str, limit: int) -> None:
        """Not more entries than the limit."""
        if len(values) > limit:
            self.add("TOO_MANY_ENTRIES", field, count=len(values), limit=limit)

    def done(self) -> None:
        """Raise what was found.

        Raises
        ------
        InputError
            Something was.
        """
        if self._found:
            raise InputError(self._found)


def check_id(value: str, field: str) -> None:
    """An identifier that is looked up; a very long one is refused, not echoed."""
    checks = Checks()
    checks.text(value, field, 200)
    if not value:
        checks.add("FIELD_MISSING", field, name=field)
    checks.done()


def page_size(value: int) -> int:
    """The number of entries of a page."""
    checks = Checks()
    checks.range(value, "page_size", 0)
    checks.done()
    return min(value or DEFAULT_PAGE, MAX_PAGE)


def make_page_token(last: int, filters: object) -> str:
    """A token that continues after entry `last` of a list with these filters."""
    return base64.urlsafe_b64encode(f"{last}:{_filter_digest(filters)}".encode()).decode()


def read_page_token(token: str, filters: object) -> int:
    """The entry after which the list continues; the largest number for a first page.

    Raises
    ------
    InputError
        The token does not belong to a list with these filters.
    """
    if not token:
        return 2**63 - 1
    try:
        last, _, digest = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        number = int(last)
    except ValueError:
        number, digest = -1, ""
    if digest != _filter_digest(filters) or not 0 <= number < 2**63:
        raise InputError([violation("PAGE_TOKEN_INVALID", "page_token")])
    return number


def _filter_digest(filters: object) -> str:
    return hashlib.sha256(repr(filters).encode()).hexdigest()[:12]
