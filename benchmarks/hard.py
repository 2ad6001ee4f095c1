"""Bodies that are hard for an iteration: thin walls, contrasts of stiffness, nearly incompressible, bad cells.

    python benchmarks --only hard/

Each is solved with everything left to us; by MUMPS, which says what is right; and by plain GAMG on the same matrix.
Told are what was chosen, whether a factorisation came to the rescue, iterations, seconds of set-up and solve together,
and the backward error.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import ours
import shapes
from bodies import POISSON, YOUNG, Body
from cases import AGREEMENT, Bench, differ
from numpy.typing import NDArray
from processes import FailedError
from record import record
from shapes import Floats, Ints, Meshed

from dougong.meshes import canonical
from dougong.meshes.cells import CELL_TYPES
from dougong.meshes.mesh import CellBlock, Mesh, Region, RegionKind
from dougong.v1 import analysis_pb2 as pb

#: Ours may take so many times as long as the better of the two others.
BAR = 1.5

#: Plain GAMG is stopped here.
_PLAIN_ITERATIONS = 300


@dataclass(frozen=True)
class Hard(Body):
    """A body with a second material, and its own way of solving.

    Attributes
    ----------
    young, poisson, density
        Of the material; the cells of the region "other", if there is one, are `contrast` times as stiff.
    contrast
        1 where there is no second material.
    solver
        What the analysis asks for.
    """

    young: float = YOUNG
    poisson: float = POISSON
    contrast: float = 1.0
    solver: pb.SolverOptions = dataclasses.field(default_factory=pb.SolverOptions)

    def analysis(self) -> pb.Analysis:
        """See `Body.analysis`."""
        found = super().analysis()
        steel = found.materials["steel"]
        steel.elastic.young_modulus.value = self.young
        steel.elastic.poisson_ratio.value = self.poisson
        if self.contrast != 1.0:
            other = found.materials["other"]
            other.CopyFrom(steel)
            other.elastic.young_modulus.value = self.contrast * self.young
            found.sections[0].region = "rest"
            found.sections.add(material="other", region="other")
        found.solver.CopyFrom(self.solver)
        return found


def cube(n: int, cell_type: str, size: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Meshed:
    """A box of n bricks along each axis."""
    return _cells(shapes.bricks(tuple(np.linspace(0.0, s, n + 1) for s in size)), cell_type)


def sheet(n: int, cell_type: str, thickness: float) -> Meshed:
    """A square plate of edge one, n x n bricks, one in its thickness."""
    along = np.linspace(0.0, 1.0, n + 1)
    return _cells(shapes.bricks((along, along, np.array([0.0, thickness]))), cell_type)


def tube(around: int, along: int, cell_type: str, wall: float) -> Meshed:
    """A tube of radius one and length three, along x, one brick in its wall; nodes between corners on the circle."""
    angles = np.linspace(0.0, 2 * np.pi, around + 1)
    points, cells = _cells(
        shapes.bricks((np.linspace(0.0, 3.0, along + 1), angles, np.array([1.0, 1.0 + wall]))), cell_type
    )
    x, angle, radius = points.T
    return _joined(np.stack([x, radius * np.sin(angle), radius * np.cos(angle)], axis=1), cells)


def graded(n: int, cell_type: str, ratio: float) -> Meshed:
    """A cube whose bricks along y and z become thinner and thinner, down to 1 : ratio: needles, plates and slivers."""
    steps = np.geomspace(1.0, 1.0 / ratio, n)
    line = np.concatenate([[0.0], np.cumsum(steps) / steps.sum()])
    return _cells(shapes.bricks((np.linspace(0.0, 1.0, n + 1), line, line)), cell_type)


def _cells(bricks: Meshed, cell_type: str) -> Meshed:
    points, cells = bricks
    if cell_type.startswith("tet"):
        points, cells = shapes.six_in_each(points, cells)
    return (
        shapes.quadratic(points, cells, "hex8" if cell_type == "hex20" else "tet4")
        if _quadratic(cell_type)
        else (
            points,
            cells,
        )
    )


def _quadratic(cell_type: str) -> bool:
    return CELL_TYPES[cell_type].order > 1


def _joined(points: Floats, cells: Ints) -> Meshed:
    """Nodes at the same place become one."""
    _, first, number = np.unique(points.round(9), axis=0, return_index=True, return_inverse=True)
    return points[first], number.ravel()[cells]


def layers(middle: Floats) -> NDArray[np.bool_]:
    """Every second sixth of the height."""
    return np.floor(middle[:, 2] * 6).astype(int) % 2 == 0


def inclusions(middle: Floats) -> NDArray[np.bool_]:
    """One in five of 6 x 6 x 6 cubes, by lot."""
    k = np.floor(middle * 6).astype(int)
    return np.random.default_rng(1).random((6, 6, 6))[k[:, 0], k[:, 1], k[:, 2]] < 0.2


def checkerboard(middle: Floats) -> NDArray[np.bool_]:
    """Every second of 6 x 6 x 6 cubes: those of a kind meet at edges alone."""
    return np.floor(middle * 6).astype(int).sum(axis=1) % 2 == 0


@dataclass(frozen=True)
class _Spec:
    """How a body is made."""

    cell_type: str
    mesh: Callable[[], Meshed]
    contrast: float = 1.0
    where: Callable[[Floats], NDArray[np.bool_]] | None = None
    young: float = YOUNG
    poisson: float = POISSON
    scale: float = 1.0


def _specs() -> dict[str, _Spec]:
    specs = {
        "plate1000/tet10": _Spec("tet10", lambda: sheet(60, "tet10", 1e-3)),
        "plate1000/hex20": _Spec("hex20", lambda: sheet(60, "hex20", 1e-3)),
        "plate100/tet10": _Spec("tet10", lambda: sheet(100, "tet10", 1e-2)),
        "tube/tet10": _Spec("tet10", lambda: tube(120, 40, "tet10", 0.01)),
        "tube/hex20": _Spec("hex20", lambda: tube(120, 40, "hex20", 0.01)),
        "slivers/tet10": _Spec("tet10", lambda: graded(12, "tet10", 1e3)),
        "slivers/hex8": _Spec("hex8", lambda: graded(24, "hex8", 1e3)),
        "metres/tet10": _Spec("tet10", lambda: cube(12, "tet10"), young=2.1e-4, scale=1e-3),
        "light-years/tet10": _Spec("tet10", lambda: cube(12, "tet10"), young=2.1e17, scale=1e12),
    }
    for name, where in (("layers", layers), ("inclusions", inclusions), ("checkerboard", checkerboard)):
        for power in (6, 9):
            specs[f"{name}-1e{power}/tet10"] = _Spec("tet10", lambda: cube(12, "tet10"), 10.0**power, where)
    specs["inclusions-1e6/hex8"] = _Spec("hex8", lambda: cube(24, "hex8"), 1e6, inclusions)
    for nu in (0.499, 0.4999, 0.49999):
        for cell_type in ("tet10", "hex20"):
            specs[f"nu{nu}/{cell_type}"] = _Spec(cell_type, lambda t=cell_type: cube(12, t), poisson=nu)
    for cell_type in ("hex8", "tet4"):
        specs[f"nu0.49999/{cell_type}"] = _Spec(cell_type, lambda t=cell_type: cube(24, t), poisson=0.49999)
    return specs


def names() -> list[str]:
    """Names of the bodies."""
    return list(_specs())


def make(name: str, folder: Path) -> Hard:
    """Make a body."""
    spec = _specs()[name]
    place = folder / f"hard-{name.replace('/', '-')}"
    shutil.rmtree(place, ignore_errors=True)
    (place / "mesh").mkdir(parents=True)
    points, cells = spec.mesh()
    regions: tuple[Region, ...] = ()
    if spec.where is not None:
        corners = cells[:, : CELL_TYPES[spec.cell_type].n_corners]
        stiff = spec.where(points[corners].mean(axis=1))
        both = (("other", stiff), ("rest", ~stiff))
        regions = tuple(Region(n, RegionKind.CELLS, np.flatnonzero(which)) for n, which in both)
    mesh = Mesh(points * spec.scale, (CellBlock(CELL_TYPES[spec.cell_type], cells),), regions)
    canonical.write(mesh, place / "mesh")
    held = 1e-9 * spec.scale
    given = {"young": spec.young, "poisson": spec.poisson, "contrast": spec.contrast}
    return Hard(name, place, 0, held, 2, len(points), len(cells), **given)


def measure(bench: Bench, name: str) -> None:
    """One body: ours, MUMPS, plain GAMG."""
    body = make(name, bench.folder)
    case = f"hard/{name}"
    found = ours.solve(body)
    right = ours.solve(body, direct=True)
    told = found.result.steps[0].solve
    rescued = "; rescued" if told.setups > 1 else ""
    bench.report.note(f"{told.method}; {told.why}{rescued}; backward error {told.backward_error:.0e}")
    times = [_seconds(right)]
    bench.report.add(record(case, "seconds", _seconds(found), times[0], "MUMPS", BAR, body.dofs))
    plain = pb.SolverOptions(method=pb.SolverOptions.METHOD_ITERATIVE, max_iterations=_PLAIN_ITERATIONS)
    plain.petsc_options["pc_type"] = "gamg"
    peer = "GAMG on the same matrix"
    try:
        other = ours.solve(dataclasses.replace(body, solver=plain))
    except FailedError:
        missing = f"{peer}: not converged in {_PLAIN_ITERATIONS} iterations"
        bench.report.add(record(case, "iterations", found.iterations, None, missing, 1.0, body.dofs))
    else:
        bench.report.add(record(case, "seconds", _seconds(found), _seconds(other), peer, BAR, body.dofs))
        bench.report.add(record(case, "iterations", found.iterations, other.iterations, peer, 1.0, body.dofs))
    bench.report.agree(case, differ(found.displacement, right.displacement), AGREEMENT, "MUMPS")
    shutil.rmtree(body.folder)


def _seconds(solved: ours.Solved) -> float:
    return solved.stages["setup"] + solved.stages["solve"]
