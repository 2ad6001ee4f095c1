"""The command `materials`: the library, and what one of its materials is made of."""

from __future__ import annotations

from argparse import Namespace

from dougong.client.cli.console import answer, answer_json, say, table
from dougong.client.cli.exit_codes import ExitCode
from dougong.client.library import LibraryMaterial, library
from dougong.messages import NotFound, user_language


def show(arguments: Namespace) -> ExitCode:
    """List the materials, or show the constants of one with their sources."""
    known = library()
    if arguments.name and arguments.name not in known:
        raise NotFound("LIBRARY_MATERIAL_UNKNOWN", material=arguments.name, known=", ".join(known))
    if arguments.json:
        shown = [known[arguments.name]] if arguments.name else list(known.values())
        answer_json({"materials": [_plain(m) for m in shown]})
    elif arguments.name:
        _show_one(known[arguments.name])
    else:
        rows = [(m.name, _about(m)) for m in known.values()]
        answer("\n".join(table([(say("CLI_COL_MATERIAL"), say("CLI_COL_ABOUT")), *rows])))
        answer(say("CLI_MATERIALS_USE"))
    return ExitCode.OK


def _about(material: LibraryMaterial) -> str:
    return material.zh if user_language() == "zh" else material.en


def _show_one(material: LibraryMaterial) -> None:
    rows: list[tuple[str, str, str]] = []
    told = ""
    for constant, value in material.values():
        source = material.sources[constant.partition(".")[0].partition("[")[0]]
        rows.append((constant, value, source if source != told else ""))
        told = source
    answer(f"{material.name}: {_about(material)}")
    heads = (say("CLI_COL_CONSTANT"), say("CLI_COL_VALUE"), say("CLI_COL_SOURCE"))
    answer("\n".join(table([heads, *rows], indent="  ")))


def _plain(material: LibraryMaterial) -> dict[str, object]:
    return {
        "name": material.name,
        "en": material.en,
        "zh": material.zh,
        "constants": dict(material.values()),
        "sources": material.sources,
    }
