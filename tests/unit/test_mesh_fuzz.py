"""Files damaged at random: a reader gives a mesh or a reason, never anything else, in bounded memory."""

import random
import re
import resource
from collections import Counter
from contextlib import contextmanager

import pytest

from dougong.meshes.build import build
from dougong.meshes.check import check
from dougong.meshes.formats import ReadError, gmsh, vtk, vtu
from dougong.messages import InputError, all_reasons, render
from meshgen import box, plate
from meshwriters import GMSH_VARIANTS, VTU_VARIANTS, write_gmsh, write_vtk, write_vtu

MUTATIONS = 150
HEADROOM = 768 << 20


@contextmanager
def little_memory():
    """The address space of this process may grow by `HEADROOM` only."""
    with open("/proc/self/statm") as statm:
        size = int(statm.read().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + HEADROOM, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


NUMBERS = [
    b"0",
    b"-1",
    b"1e12",
    b"1000000000000",
    b"nan",
    b"inf",
    b"-inf",
    b"9223372036854775808",
    b"1e999",
    b"2147483648",
]
WORDS = [
    b"\x00\x00\x00\x00",
    b"\xff\xff\xff\xff",
    b"\x00" * 8,
    b"\xff" * 8,
    b"\xff\xff\xff\x7f",
    b"\x00\x10\xa5\xd4\xe8\x00\x00\x00",
]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Damage a file in one to three ways."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(out) + 1) if out else 0
        kind = rng.randrange(7)
        if kind == 0 and out:
            out[at % len(out)] = rng.randrange(256)
        elif kind == 1:
            del out[at : at + rng.choice([1, 4, 8, 100])]
        elif kind == 2:
            out[at:at] = out[at : at + rng.choice([1, 8, 100])]
        elif kind == 3:
            del out[at:]
        elif kind == 4:
            word = rng.choice(WORDS)
            out[at : at + len(word)] = word
        elif kind == 5:
            found = list(re.finditer(rb"-?\d[\d.e+-]*", bytes(out)))
            if found:
                match = rng.choice(found)
                out[match.start() : match.end()] = rng.choice(NUMBERS)
        else:
            other = rng.randrange(len(out) + 1)
            out[at : at + 20] = out[other : other + 20]
    return bytes(out)


CASES = {f"gmsh {v} {'binary' if b else 'text'} {o}": (gmsh, write_gmsh, (v, b, o)) for v, b, o in GMSH_VARIANTS}
CASES |= {f"vtu {' '.join(v)}": (vtu, write_vtu, v) for v in VTU_VARIANTS}
CASES |= {
    f"vtk {v} {'binary' if b else 'text'}": (vtk, write_vtk, (b, v)) for b in (False, True) for v in ("3.0", "5.1")
}


def outcome(reader, path) -> str:
    """ "mesh", or the reason why there is none."""
    with little_memory():
        try:
            violations = check(build(reader.read(path)).mesh)
        except ReadError as error:
            gaps = re.findall(r"\{[a-z_]+\}", render(error.reason, dict.fromkeys(error.params, 0)))
            return error.reason if not gaps else f"{error.reason} without {gaps}"
        except InputError as error:
            violations = error.violations
    return violations[0].reason if violations else "mesh"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_damaged_file_gives_a_mesh_or_a_reason(tmp_path, case):
    reader, write, variant = CASES[case]
    rng = random.Random(case)
    path = tmp_path / "mesh"
    found = Counter()
    for mesh in (box("tet10", (1, 1, 1)), plate("quad4", (2, 2)), box("wedge6", (1, 1, 1))):
        write(path, mesh, *variant)
        whole = path.read_bytes()
        for _ in range(MUTATIONS // 3):
            path.write_bytes(mutated(whole, rng))
            found[outcome(reader, path)] += 1
    assert found.keys() <= all_reasons() | {"mesh"}
    # A test that damages nothing, or always the same thing, would say nothing.
    assert found["mesh"] < MUTATIONS * 0.9
    assert len(found) > 5
