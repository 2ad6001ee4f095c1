"""Wrong arrays are exceptions, never a crash; building and loading."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dougong.solver import kernels
from dougong.solver.kernels import build, loader, location
from unit.kernel_cases import make_case

needs_kernels = pytest.mark.skipif(not kernels.available(), reason="the kernels are not built")

TABLE = np.array([[[-1.0, -1.0], [1.0, 0.0], [0.0, 1.0]]])
POINTS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])


def triangle(**changes):
    arguments = {
        "points": POINTS,
        "geometry": [[0, 1, 2]],
        "geometry_gradients": TABLE,
        "field": [[0, 1, 2]],
        "gradients": TABLE,
        "weights": [0.5],
    }
    return kernels.cell_block(**{**arguments, **changes})


@needs_kernels
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"geometry": [[0, 1, 3]]}, r"geometry\[0, 2\] = 3 is not in 0 \.\. 2"),
        ({"field": [[0, -1, 2]]}, r"field\[0, 1\] = -1"),
        ({"field": [[0, 1]]}, r"gradients: shape \(1, 2, 2\) expected"),
        ({"field": [[0, 1, 2], [0, 1, 2]]}, r"field: shape \(1, \*\) expected"),
        ({"points": POINTS[:, :1]}, "points: shape"),
        ({"weights": []}, "at least one quadrature point"),
        ({"geometry_gradients": TABLE[:, :2]}, "geometry_gradients: shape"),
        ({"shapes": np.ones((2, 3))}, "shapes: shape"),
        ({"affine": [True, False]}, "affine: one truth value per cell"),
    ],
)
def test_cell_block_refuses(changes, message):
    with pytest.raises(ValueError, match=message):
        triangle(**changes)


@needs_kernels
def test_types_that_are_no_numbers():
    with pytest.raises(TypeError, match="field: integers expected"):
        triangle(field=[[0.0, 1.0, 2.0]])
    with pytest.raises(TypeError, match="points: numbers expected"):
        triangle(points=np.array([["a", "b"]] * 3))


@needs_kernels
def test_forms_refuse():
    block = triangle()
    with pytest.raises(ValueError, match=r"index\[0\] = 1 is not in 0 \.\. 0"):
        kernels.diffusion(block, np.eye(2)[None], [1])
    with pytest.raises(ValueError, match="symmetric"):
        kernels.diffusion(block, [[[1.0, 0.5], [0.0, 1.0]]])
    with pytest.raises(ValueError, match="symmetric matrices of finite"):
        kernels.elasticity(block, np.full((1, 3, 3), np.nan))
    with pytest.raises(ValueError, match="at least one material"):
        kernels.diffusion(block, np.empty((0, 2, 2)))
    with pytest.raises(ValueError, match="with shapes"):
        kernels.mass(block, [1.0], n_components=1)
    with pytest.raises(ValueError, match="n_components"):
        kernels.mass(triangle(shapes=np.ones((1, 3))), [1.0], n_components=4)
    with pytest.raises(ValueError, match="point_factor: shape"):
        kernels.diffusion(block, np.eye(2)[None], point_factor=np.ones((1, 2)))


@needs_kernels
def test_assembly_refuses():
    block = triangle()
    form = kernels.diffusion(block, np.eye(2)[None])
    pattern = kernels.block_pattern([block.field], 3, 3)
    values = np.zeros((9, 1, 1))
    for wrong in (values[:8], values.astype(np.float32), np.zeros((9, 2, 1))[:, :1], np.zeros((9, 3, 3))):
        with pytest.raises(ValueError, match="values: a writable"):
            kernels.assemble(form, pattern, wrong)
    values.setflags(write=False)
    with pytest.raises(ValueError, match="values: a writable"):
        kernels.assemble(form, pattern, values)
    with pytest.raises(ValueError, match="rhs: a writable"):
        kernels.assemble(form, pattern, np.zeros((9, 1, 1)), rhs=np.zeros((3, 2)))
    small = kernels.block_pattern([np.array([[0, 1]])], 2, 2)
    with pytest.raises(ValueError, match="a cell has node 2, the pattern has 2 nodes"):
        kernels.assemble(form, small, np.zeros((4, 1, 1)))
    for other in (np.array([[0, 1]]), np.empty((0, 2), int)):
        lacking = kernels.block_pattern([other], 3, 3)
        with pytest.raises(ValueError, match="does not hold these cells"):
            kernels.assemble(form, lacking, np.zeros((lacking.n_blocks, 1, 1)))
    empty = kernels.Pattern(np.zeros(4, np.int64), np.empty(0, np.int32), 3)
    with pytest.raises(ValueError, match="does not hold these cells"):
        kernels.assemble(form, empty, np.zeros((0, 1, 1)))
    held = kernels.Constraints(np.array([0, -1]), np.zeros((1, 1, 1)), np.zeros((1, 1)))
    with pytest.raises(ValueError, match="constraints: 2 nodes, cells have 3"):
        kernels.assemble(form, pattern, np.zeros((9, 1, 1)), constraints=held)
    with pytest.raises(ValueError, match=r"index\[0\] = 1 is not in -1 \.\. 0"):
        kernels.Constraints(np.array([1]), np.zeros((1, 1, 1)), np.zeros((1, 1)))
    wide = kernels.Constraints(np.array([0, -1, -1]), np.zeros((1, 2, 2)), np.zeros((1, 2)))
    with pytest.raises(ValueError, match="projectors: shape"):
        kernels.assemble(form, pattern, np.zeros((9, 1, 1)), constraints=wide)


@needs_kernels
def test_pattern_refuses():
    with pytest.raises(ValueError, match=r"cells\[1\]\[0, 1\] = 5 is not in 0 \.\. 4"):
        kernels.block_pattern([np.array([[0, 1]]), np.array([[2, 5]])], 3, 5)
    with pytest.raises(ValueError, match="owned of"):
        kernels.block_pattern([], 4, 3)
    for indptr, indices in (([0, 2], [0]), ([1, 1], [0]), ([0, 1, 0, 1], [0]), ([0, 1], [7])):
        with pytest.raises(ValueError, match="ind"):
            kernels.Pattern(np.array(indptr, np.int64), np.array(indices, np.int32), 5)


@needs_kernels
def test_evaluations_refuse():
    block = triangle()
    form = kernels.diffusion(block, np.eye(2)[None])
    with pytest.raises(ValueError, match="u: 2 nodes, cells have 3"):
        kernels.apply(form, np.zeros((2, 1)), np.zeros((2, 1)))
    with pytest.raises(ValueError, match="out: a writable"):
        kernels.apply(form, np.zeros((3, 1)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="u: shape"):
        kernels.gradients_at_points(block, np.zeros((3, 4)))
    with pytest.raises(ValueError, match="stress: shape"):
        kernels.internal_force(block, np.zeros((1, 1, 6)), np.zeros((3, 2)))


@needs_kernels
def test_no_cells():
    case = make_case("tet4", curved=False, n=1)
    block = case.block
    none = kernels.cell_block(
        block.points, block.geometry[:0], block.geometry_gradients, block.field[:0], block.gradients, block.weights
    )
    form = kernels.diffusion(none, np.eye(3)[None])
    pattern = kernels.block_pattern([none.field], 2, 3)
    assert pattern.indptr.tolist() == [0, 0, 0]
    kernels.assemble(form, pattern, np.zeros((0, 1, 1)))
    assert kernels.gradients_at_points(none, np.zeros((3, 1))).shape == (0, block.n_points, 1, 3)


def test_build_says_what_the_compiler_said(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "library_path", lambda: tmp_path / "kernels.so")
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(build.BuildError, match="no-such-compiler cannot be started"):
        build.build()
    monkeypatch.setenv("CC", "false")
    with pytest.raises(build.BuildError, match="failed"):
        build.build()
    monkeypatch.delenv("CC")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(build.BuildError, match="no C compiler found"):
        build.build()
    assert list(tmp_path.iterdir()) == []


def test_build_command_is_done_at_once_where_built():
    if not location.library_path().exists():
        pytest.skip("not built")
    command = [sys.executable, "-m", "dougong.solver.kernels.build"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "CC": "false"})
    assert (done.returncode, done.stderr) == (0, "")
    assert Path(done.stdout.strip()) == location.library_path()


def test_without_library(monkeypatch):
    monkeypatch.setattr(loader, "library_path", lambda: Path("/nonexistent.so"))
    assert loader.load(None) is None
    monkeypatch.setattr(loader, "library", lambda: None)
    assert not loader.available()
    with pytest.raises(kernels.KernelError, match=r"python -m dougong\.solver\.kernels\.build"):
        loader.need_library()
