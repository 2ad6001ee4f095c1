"""Damages mesh files at random, for tests of their readers."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from dougong.meshes.formats import ReadError
from dougong.meshes.mesh import RawMesh


def reasons_of_mutants(
    read: Callable[[Path], RawMesh], path: Path, text: str, letters: bytes, *, seed: int, count: int = 400
) -> set[str]:
    """Write mutants of a text, read each, and return the reasons for which some were refused.

    Those that are read have no node in a cell or set that is not there; any other error than `ReadError` passes on.

    Parameters
    ----------
    read
        The reader.
    path
        Where the mutants are written.
    text
        A file that can be read.
    letters
        What its bytes are replaced by.
    """
    chance = random.Random(seed)
    refused = set()
    for _ in range(count):
        mutant = bytearray(text.encode())
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(mutant))
            if chance.random() < 0.3:
                del mutant[at : at + chance.randint(1, 40)]
            else:
                mutant[at] = chance.choice(letters)
        path.write_bytes(mutant)
        try:
            mesh = read(path)
        except ReadError as error:
            refused.add(error.reason)
            continue
        for nodes in (*(b.nodes for b in mesh.blocks), *mesh.node_sets.values()):
            assert nodes.size == 0 or (nodes.min() >= 0 and nodes.max() < len(mesh.points))
    return refused
