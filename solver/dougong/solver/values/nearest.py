"""Which known names a misspelt one may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def nearest(name: str, known: Sequence[str]) -> list[str]:
    """Those of the known names that are most like a name, whatever the case; some of them where none is."""
    by_folded = {k.casefold(): k for k in known}
    close = difflib.get_close_matches(name.casefold(), list(by_folded), n=3, cutoff=0.4)
    return [by_folded[c] for c in close] or list(known[:8])
