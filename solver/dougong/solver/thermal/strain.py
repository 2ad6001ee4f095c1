"""Thermal strain of an elastic body, and the nodal forces that it makes.

With the thermal strain ε_t the stress is σ = C : (ε - ε_t), and equilibrium reads

    ∫ ε(v) : C : ε(u) = ∫ v·b + ∫ v·t + ∫ ε(v) : C : ε_t   for all v

(Timoshenko, Goodier, "Theory of Elasticity", 3rd edition 1970, chapter 13). In a cell ε_t is
replaced by its best fit with functions that the strains of the cell have: a mean on linear cells, one linear in each
direction on quadratic ones. Otherwise stresses would alternate within each cell, for a strain of the same order as the
temperature is not to be had from these displacements (Prathap, "The Finite Element Method in Structural Mechanics",
1993, chapter 10; CalculiX and Abaqus do alike).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from dougong.meshes.cells import CELL_TYPES
from dougong.solver.elements import Reference, linear_reference, reference
from dougong.solver.laws.orientation import given
from dougong.solver.laws.schemes import LINEAR_PRESSURE
from dougong.solver.model import Model, Rows
from dougong.solver.thermal.temperature import Temperature

Array = NDArray[np.float64]

#: A superposition of temperatures: how many times each counts. The strains are superposed, for the law of expansion may
#: not be linear.
Terms = tuple[tuple[float, Temperature], ...]


def terms_of(model: Model, temperature: Temperature) -> Terms:
    """A temperature that counts once; nothing where nothing is said of it, or nothing expands."""
    return ((1.0, temperature),) if temperature and model.physics.EXPANSION is not None else ()


def strains_of(model: Model) -> Terms:
    """The temperature of the step itself."""
    return terms_of(model, model.warmth) if model.physics.EXPANSION is not None else ()


def thermal_strain(model: Model, terms: Terms, k: int, rows: Rows, reference: Reference) -> Array:
    """Thermal strain at the integration points of cells, in global axes.

    Parameters
    ----------
    model
        The step on this part.
    terms
        Temperatures.
    k, rows
        Local block, and cells in it.
    reference
        Tables of these cells.

    Returns
    -------
    ndarray, shape (n, nq, 3, 3)
    """
    expansion = model.physics.EXPANSION
    assert expansion is not None
    section = model.section_of[k][rows]
    along = np.zeros((len(section), reference.n_points, 3))  # the axes of the material
    for weight, temperature in terms:
        T = model.at_points(temperature, k, rows)
        for number in np.unique(section):
            here = section == number
            along[here] += weight * expansion.strain(model.sections[number].material, T[here])
    strain = along[..., None] * np.eye(3)
    for number in np.unique(section):
        s, here = model.sections[number], section == number
        if given(s.orientation) and not expansion.isotropic(s.material):
            axes = model.axes(k, rows, number)
            strain[here] = np.einsum("nqa,nqai,nqaj->nqij", along[here], axes, axes, optimize=True)
    mixed = model.scheme(k, rows).formulation == "mixed"
    return np.asarray(
        np.einsum("qp,npij->nqij", _fit(reference.type.name, reference.rule, mixed), strain, optimize=True)
    )


@cache
def _fit(name: str, rule: str, mixed: bool) -> Array:
    """From values at the integration points to those of their fit, shape (nq, nq).

    Where the pressure is a field of its own, the change of volume has the functions of that.
    """
    at = reference(name, rule)
    functions = linear_reference(name, rule).N
    if CELL_TYPES[name].order == 1 or (mixed and name not in LINEAR_PRESSURE):
        functions = np.ones((at.n_points, 1))
    elif mixed:
        functions = np.column_stack([np.ones(at.n_points), at.X.T])
    weighted = functions.T * at.W
    return np.asarray(functions @ np.linalg.solve(weighted @ functions, weighted))
