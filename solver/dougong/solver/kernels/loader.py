"""Loads the compiled kernels (build.py) through ctypes. Nothing is ever compiled here."""

from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, c_char_p, c_double, c_int, c_int32, c_int64, c_void_p
from dataclasses import dataclass
from functools import cache
from typing import Any

from dougong.solver.kernels.location import library_path

#: Environment variable that names the instruction set to use ("base" runs everywhere), or "off".
VARIABLE = "DOUGONG_KERNELS"


class KernelError(RuntimeError):
    """A kernel was asked for that is not available, or ran out of memory."""


class CellsStruct(ctypes.Structure):
    """dg_cells of kernels.h."""

    _fields_ = (
        ("n_cells", c_int64),
        ("dim", c_int64),
        ("n_geometry", c_int64),
        ("n_field", c_int64),
        ("n_points", c_int64),
        ("n_modes", c_int64),
        ("points", c_void_p),
        ("geometry", c_void_p),
        ("field", c_void_p),
        ("geometry_gradients", c_void_p),
        ("gradients", c_void_p),
        ("shapes", c_void_p),
        ("weights", c_void_p),
        ("affine_geometry", c_void_p),
        ("affine_gradients", c_void_p),
        ("affine_weights", c_void_p),
        ("affine_tensor", c_void_p),
        ("affine_mass", c_void_p),
        ("affine", c_void_p),
    )


class FormStruct(ctypes.Structure):
    """dg_form of kernels.h."""

    _fields_ = (
        ("kind", c_int64),
        ("n_components", c_int64),
        ("table", c_void_p),
        ("index", c_void_p),
        ("cell_factor", c_void_p),
        ("point_factor", c_void_p),
        ("tangents", c_void_p),
    )


class TargetStruct(ctypes.Structure):
    """dg_target of kernels.h."""

    _fields_ = (
        ("n_rows", c_int64),
        ("n_nodes", c_int64),
        ("upper_only", c_int64),
        ("indptr", c_void_p),
        ("indices", c_void_p),
        ("values", c_void_p),
        ("constraint", c_void_p),
        ("projectors", c_void_p),
        ("prescribed", c_void_p),
        ("rhs", c_void_p),
    )


class PreparedStruct(ctypes.Structure):
    """dg_prepared of kernels.h."""

    _fields_ = (
        ("n_batches", c_int64),
        ("dim", c_int64),
        ("n_field", c_int64),
        ("n_points", c_int64),
        ("kind", c_int64),
        ("affine", c_int64),
        ("by_point", c_int64),
        ("n_coefficients", c_int64),
        ("length", c_double),
        ("coefficient", c_double),
        ("gradients", c_void_p),
        ("weights", c_void_p),
        ("nodes", c_void_p),
        ("geometry", c_void_p),
        ("coefficients", c_void_p),
    )


_CELLS, _FORM, _PREPARED = POINTER(CellsStruct), POINTER(FormStruct), POINTER(PreparedStruct)
_PREPARE = ctypes.CFUNCTYPE(c_int, _CELLS, _FORM, c_void_p, c_int64, _PREPARED)
_PRODUCT = ctypes.CFUNCTYPE(c_int, _PREPARED, c_void_p, c_void_p)


class _KernelsStruct(ctypes.Structure):
    """dg_kernels of kernels.h: functions of one instruction set."""

    _fields_ = (
        ("name", c_char_p),
        ("width", c_int64),
        ("assemble", ctypes.CFUNCTYPE(c_int, _CELLS, _FORM, POINTER(TargetStruct))),
        ("apply", ctypes.CFUNCTYPE(c_int, _CELLS, _FORM, c_void_p, c_int64, c_void_p)),
        ("diagonal", ctypes.CFUNCTYPE(c_int, _CELLS, _FORM, c_int64, c_void_p)),
        ("gradients", ctypes.CFUNCTYPE(c_int, _CELLS, c_int64, c_void_p, c_void_p, c_void_p)),
        ("internal_force", ctypes.CFUNCTYPE(c_int, _CELLS, c_void_p, c_int64, c_void_p)),
        ("classify", ctypes.CFUNCTYPE(c_int, _CELLS, c_void_p, c_int64, c_double, c_void_p)),
        ("single_lanes", c_int64),
        ("double_lanes", c_int64),
        ("prepare_single", _PREPARE),
        ("prepare_double", _PREPARE),
        ("product_single", _PRODUCT),
        ("product_double", _PRODUCT),
        ("smooth", ctypes.CFUNCTYPE(c_int, c_int64, c_int64, *[c_void_p] * 4, c_double, c_double, c_void_p, c_void_p)),
        ("invert_blocks", ctypes.CFUNCTYPE(c_int, c_int64, c_int64, c_void_p, c_void_p)),
    )


@dataclass(frozen=True)
class Library:
    """The loaded kernels.

    Attributes
    ----------
    name
        Instruction set in use: base, avx2, avx512, lasx.
    width
        Cells computed at a time.
    kernels
        The functions of kernels.h.
    pattern, free
        `dg_pattern` and `dg_free`.
    """

    name: str
    width: int
    kernels: Any
    pattern: Any
    free: Any


def load(variant: str | None) -> Library | None:
    """Load the library and choose an instruction set.

    Parameters
    ----------
    variant
        Name of an instruction set; None for the widest this processor has.

    Returns
    -------
    Library or None
        None where the library was not built, cannot be loaded, or has no such instruction set.
    """
    try:
        shared = ctypes.CDLL(str(library_path()))
    except OSError:
        return None
    shared.dg_choose.restype = POINTER(_KernelsStruct)
    shared.dg_choose.argtypes = [c_char_p]
    chosen = shared.dg_choose(variant.encode() if variant else None)
    if not chosen:
        return None
    shared.dg_pattern.restype = c_int
    shared.dg_pattern.argtypes = [
        c_int64,
        POINTER(c_void_p),
        POINTER(c_int64),
        POINTER(c_int64),
        c_int64,
        c_int64,
        c_int64,
        c_void_p,
        POINTER(POINTER(c_int32)),
    ]
    shared.dg_free.restype = None
    shared.dg_free.argtypes = [c_void_p]
    kernels = chosen.contents
    return Library(kernels.name.decode(), kernels.width, kernels, shared.dg_pattern, shared.dg_free)


@cache
def library() -> Library | None:
    """The kernels, or None where they are not available: then the plain scikit-fem path serves."""
    variant = os.environ.get(VARIABLE) or None
    return None if variant == "off" else load(variant)


def available() -> bool:
    """Whether the kernels can be used."""
    return library() is not None


def need_library() -> Library:
    """The kernels.

    Raises
    ------
    KernelError
        They are not available.
    """
    found = library()
    if found is None:
        raise KernelError("the kernels are not built: run python -m dougong.solver.kernels.build")
    return found


def check_status(status: int) -> None:
    """Turn what a kernel returned into an exception.

    Raises
    ------
    MemoryError
        No room for the work arrays.
    ValueError
        Two nodes of a cell do not meet in the matrix pattern.
    """
    if status == 0:
        return
    if status == 1:
        raise MemoryError("no memory for the work arrays of the kernels")
    if status == 2:
        raise ValueError("the matrix pattern does not hold these cells: build it from all cells that are assembled")
    raise KernelError(f"kernel status {status}")
