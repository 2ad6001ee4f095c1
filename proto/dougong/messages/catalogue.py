"""The message catalogue: for each reason code what was wrong and what to do, in every language.

The texts lie in ``texts/*.toml``, one file an area::

    [REGION_UNKNOWN]
    en = "There is no region {region}."
    en_do = "Use one of: {known}."
    zh = "没有名为 {region} 的区域。"
    zh_do = "可用的区域：{known}。"

The gaps are filled by `str.format` from the parameters of the error; the same gaps appear in every language, which a
test checks.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

LANGUAGES = ("en", "zh")


class UnknownReasonError(KeyError):
    """A reason code that the catalogue does not have: a mistake in the program, never in its input."""


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Reason code -> {"en", "en_do", "zh", "zh_do"}.

    Raises
    ------
    ValueError
        A reason code stands in two files.
    """
    entries: dict[str, Mapping[str, str]] = {}
    for name, text in _texts().items():
        area = tomllib.loads(text)
        twice = entries.keys() & area.keys()
        if twice:
            raise ValueError(f"{name}: reason codes that another file already has: {sorted(twice)}")
        entries.update(area)
    return entries


@cache
def _texts() -> Mapping[str, str]:
    """File name -> content."""
    folder = resources.files("dougong.messages") / "texts"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return {f.name: f.read_text(encoding="utf-8") for f in files}


@cache
def entry(reason: str) -> Mapping[str, str]:
    """One entry of the catalogue; reads its table alone, for a worker needs a handful of the many.

    Raises
    ------
    UnknownReasonError
        The catalogue has no such reason.
    """
    head = f"\n[{reason}]\n"
    for text in _texts().values():
        start = ("\n" + text).find(head)
        if start >= 0:
            end = text.find("\n[", start)
            table: Mapping[str, str] = tomllib.loads(text[start : end if end >= 0 else None])[reason]
            return table
    raise UnknownReasonError(reason)


def all_reasons() -> frozenset[str]:
    """Every reason code of the catalogue."""
    return frozenset(catalogue())


#: Parameters that are lists of names, and what is written where there are none.
_LISTS = ("known", "near", "given")
_NOTHING = {"en": "none", "zh": "无"}


def render(reason: str, params: Mapping[str, object], language: str = "en") -> str:
    """The sentence of a reason code, followed by what to do.

    Parameters
    ----------
    reason
        A reason code of the catalogue.
    params
        What fills the gaps of the sentence. A gap without a parameter is shown by its name in braces.
    language
        One of `LANGUAGES`.

    Raises
    ------
    UnknownReasonError
        The catalogue has no such reason.
    """
    texts = entry(reason)
    filled = _Gaps({key: _words(key, str(value), language) for key, value in params.items()})
    sentences = (texts[language], texts[f"{language}_do"])
    separator = " " if language == "en" else ""
    return separator.join(s.format_map(filled) for s in sentences if s)


def _words(key: str, text: str, language: str) -> str:
    """What stands in a gap: of a list of names that is empty, the word for it."""
    return _NOTHING[language] if key in _LISTS and text in ("", "-") else text


class _Gaps(dict[str, str]):
    """An error message must never fail because of itself: an unfilled gap stays visible."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def user_language() -> str:
    """The language of the person at the terminal, from DOUGONG_LANG, LC_ALL, LC_MESSAGES or LANG."""
    for variable in ("DOUGONG_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable)
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"
