"""What a physics is: one module of this package with a `PHYSICS` object that has these attributes.

A physics states its weak form once, as a scikit-fem form in terms of a coefficient (the constitutive matrix of the
material). From that and the flux (stress, heat flow) everything else follows for all physics alike: assembly, the
residual, reactions, energies, recovery of derived fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2, options_pb2

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FieldSpec:
    """A field that a physics can write.

    Attributes
    ----------
    components
        Names; empty for a scalar.
    dimension
        A value of dougong.v1.Dimension.
    at_points
        From gradients of the solid, shape (n, nq, nc', dim'), and flux, same shape, to values, shape (n, nq,
        n_components); None for the fields that the solution gives directly (the unknown and the reaction).
    of
        Which gradients `at_points` gets: "all" of them, the "free" ones of thermal strain, or the "elastic" ones, all
        without the free ones, from which the flux follows.
    from_field
        Name of another field, and a function of its values, shape (..., n_components of that), for fields such as
        invariants, which are formed after averaging at the nodes.
    """

    components: tuple[str, ...]
    dimension: options_pb2.Dimension
    at_points: Callable[[Array, Array], Array] | None = None
    from_field: tuple[str, Callable[[Array], Array]] | None = None
    of: Literal["all", "free", "elastic"] = "all"

    @property
    def width(self) -> int:
        """Numbers per node or point."""
        return max(1, len(self.components))


@dataclass(frozen=True)
class Run:
    """How a physics carries out a kind of step.

    Attributes
    ----------
    procedure
        Name of the procedure.
    nonlinear
        Name of the one for steps that depend on their own solution; "": the same.
    held
        Whether the conditions must leave the body no motion without flux. What vibrates, or warms up, may be free.
    check
        What is wrong with a step, seen without its mesh: from the step, its field path, and the materials in use with
        their field paths.
    fields
        Names of the fields that are written and told of when none is asked for; empty: those of the physics.
    estimated
        Whether the discretisation error is estimated without being asked for.
    """

    procedure: str
    held: bool = True
    nonlinear: str = ""
    check: Callable[[pb.Step, str, Sequence[tuple[str, pb.Material]]], list[job_pb2.Violation]] | None = None
    fields: tuple[str, ...] = ()
    estimated: bool = False


def at_points(matrices: Array, vectors: Array) -> Array:
    """Products at the points of cells: matrices (n, p, i, j), p = 1 or nq, and vectors (j, n, nq) give (i, n, nq)."""
    if matrices.shape[1] == 1:
        return np.asarray(np.einsum("nij,jnq->inq", matrices[:, 0], vectors, optimize=True))
    return np.asarray(np.einsum("nqij,jnq->inq", matrices, vectors, optimize=True))


class Loads(Protocol):
    """What a load of a physics may do; implemented by `dougong.solver.loads`.

    Parameters of forms are numbers, constant vectors of shape (n,), what `section_values` gives, and Quantities and
    Vectors of the load, which come to the form as their values at its points.
    """

    @property
    def axisymmetric(self) -> bool:
        """Whether the mesh is half a section through a body of revolution about the y axis."""

    @property
    def units(self) -> pb.UnitSystem:
        """The unit system of the analysis."""

    def on_cells(self, region: str, form: Any, **params: Any) -> None:
        """Add a linear form over a region of cells."""

    def on_facets(self, region: str, form: Any, **params: Any) -> None:
        """Add a linear form over a region of facets."""

    def on_facets_bilinear(self, region: str, form: Any, **params: Any) -> None:
        """Add a bilinear form over a region of facets to the stiffness."""

    def on_facets_flow(self, region: str, flow: Callable[..., tuple[Array, Array]], **params: Any) -> None:
        """Add a flow that depends on the unknown, made linear about the state of the model.

        `flow` gives the flow into the body over area, and its derivative, from the unknown at points, all of shape (n,
        nq), and the parameters there.
        """

    def on_nodes(self, region: str, components: pb.Vector) -> None:
        """Add the values of a vector to each node of a region."""

    def warm(self, region: str, given: pb.TemperatureField) -> None:
        """Say the temperature of the body in a region of cells, facets or nodes; "" means everywhere."""

    def on_point(self, coupling: str, force: pb.Vector, moment: pb.Vector) -> None:
        """Add a force and a moment on the reference point of a coupling."""

    def measure(self, region: str) -> float:
        """Area of a region of facets (length times thickness in two dimensions). Collective."""

    def section_values(self, of: Callable[[pb.Material], float]) -> Any:
        """A constant of the material of each section, as a parameter of a form."""


class Constraints(Protocol):
    """What a condition of a physics may do; implemented by `dougong.solver.conditions`."""

    def prescribe(
        self,
        region: str,
        directions: Array | Callable[[Array], Array],
        values: Sequence[pb.Quantity | float] | None = None,
    ) -> None:
        """Require direction . unknown = value at each node of a region, for each row of `directions` (m, nc).

        Directions that turn with the place are given as a function of points, (n, dim) -> (n, m, nc). The values are
        numbers, or Quantities of the condition; default: zero.
        """

    def move_point(self, coupling: str, motions: Mapping[str, pb.Quantity]) -> None:
        """Prescribe motions of the reference point of a coupling, by their names in `Physics.free_modes`."""

    def normal(self, region: str) -> Array | None:
        """The common outward unit normal of the facets of a region; None when they are not plane. Collective."""


class Expansion(Protocol):
    """How a material expands where nothing holds it."""

    def isotropic(self, material: pb.Material) -> bool:
        """Whether it expands alike in all directions."""

    def reference(self, material: pb.Material) -> float:
        """The temperature without thermal strain, and where nothing is said of the temperature."""

    def strain(self, material: pb.Material, temperature: Array) -> Array:
        """Strains along the axes of the material, shape (..., 3), at temperatures of shape (...)."""

    def opened(self, embedding: Array, gradients: Array, free: Array) -> Array:
        """What is free to expand across the plane does so: gradients of the solid, with the thermal strain across.

        Parameters
        ----------
        embedding
            As for `Physics.completed`.
        gradients, free
            shape (n, nq, 3, 3): gradients without thermal strain across the plane, and the thermal strain.
        """


class Physics(Protocol):
    """A physics."""

    NAME: str
    #: Field of dougong.v1.Step.procedure -> how it is carried out.
    PROCEDURES: Mapping[str, Run]
    #: Name of the field of unknowns.
    UNKNOWN: str
    #: Scikit-fem bilinear form; `w.coefficient` is the constitutive matrix at each quadrature point.
    STIFFNESS: Any
    #: The same about an axis of symmetry; `w.x[0]` is the radius. The circumference is not part of it.
    RING_STIFFNESS: Any
    #: Name of the fused kernel that computes the same, see dougong.solver.kernels; "" if there is none.
    KERNEL: str
    #: Fields of dougong.v1.Condition.kind and Load.kind that this physics understands.
    CONDITIONS: Mapping[str, Callable[[pb.Condition, int, Constraints], None]]
    LOADS: Mapping[str, Callable[[pb.Load, int, Loads], None]]
    #: Which kind of region a load wants: "facets", "nodes" or "cells"; "body": any of them, or none, for everything;
    #: "point": none, but a reference point.
    LOAD_REGIONS: Mapping[str, str]
    #: Loads that also hold the body: what they add to the stiffness says how.
    RESTRAINING_LOADS: frozenset[str]
    #: Loads that depend on the unknown other than linearly.
    NONLINEAR_LOADS: frozenset[str]
    #: Constants of a material, fields of dougong.v1.Material, whose dependence on temperature is one on the unknown.
    NONLINEAR_CONSTANTS: tuple[str, ...]
    #: Reason that is told where nothing says how high a scalar unknown is.
    UNDETERMINED: str
    #: The thermal strain; None for a physics without.
    EXPANSION: Expansion | None
    FIELDS: Mapping[str, FieldSpec]
    DEFAULT_FIELDS: tuple[str, ...]
    #: The flux as a field, such as stress, as a vector s for which sᵀ C⁻¹ s is twice the energy; C see `coefficient`.
    FLUX: str
    #: Mesh dimensions it can be computed in.
    DIMENSIONS: tuple[int, ...]
    #: Whether a two-dimensional mesh alone does not say what it stands for.
    NEEDS_KINEMATICS: bool

    def components(self, dim: int) -> tuple[str, ...]:
        """Names of the components of the unknown; empty for a scalar."""

    def check_material(self, material: pb.Material, path: str, dim: int = 3) -> list[job_pb2.Violation]:
        """What is wrong with the constants of a material, on a mesh of a dimension."""

    def check_load(self, load: pb.Load, path: str, material: pb.Material | None) -> list[job_pb2.Violation]:
        """What is wrong with a load beyond what holds for all; `material` one of those it acts on, for body loads."""

    def isotropic(self, material: pb.Material) -> bool:
        """Whether the constitutive matrix of a material is the same in all axes."""

    def varies(self, material: pb.Material) -> bool:
        """Whether the constitutive matrix of a material depends on temperature."""

    def reference(self, material: pb.Material) -> float:
        """The temperature of a material where nothing is said of it."""

    def solid(self, material: pb.Material, temperature: Array | None = None) -> Array:
        """Constitutive matrix of a material in its own axes, in space, shape (r, r)."""

    def turned(self, coefficient: Array, axes: Array) -> Array:
        """Constitutive matrices in global axes, shape (..., r, r), from those in axes, one a row, shape (..., 3, 3)."""

    def reduced(self, coefficient: Array, dim: int, kinematics: pb.Section.Kinematics) -> tuple[Array, Array]:
        """What a model of this dimension makes of the solid.

        Parameters
        ----------
        coefficient
            shape (..., r, r): constitutive matrices in global axes.
        dim, kinematics
            Of the model.

        Returns
        -------
        C, T : ndarray, shapes (..., r', r') and (..., r', k)
            The constitutive matrix, what is known to be zero left out; and what makes the r' strains (temperature
            gradients) of the solid from the k that the unknowns give. The stiffness form and the kernel take TᵀCT. In
            three dimensions T is the identity.
        """

    def completed(self, embedding: Array, gradients: Array, hoop: Array | None) -> Array:
        """Gradients of the solid from those of the model.

        Parameters
        ----------
        embedding
            shape (n, p, r, k): of each cell, or of each of its points.
        gradients
            shape (n, nq, nc, dim).
        hoop
            shape (n, nq): first component of the unknown over the radius; None where there is no axis.

        Returns
        -------
        ndarray, shape (n, nq, nc', dim')
        """

    def flux(self, coefficient: Array, gradients: Array) -> Array:
        """Flux from gradients of the unknown.

        Parameters
        ----------
        coefficient
            shape (n, p, r, r): constitutive matrix of each cell, p = 1, or of each of its points.
        gradients
            shape (n, nq, nc', dim'): those of the solid, see `completed`.

        Returns
        -------
        ndarray, shape (n, nq, nc', dim')
        """

    def free_modes(self, points: Array, axisymmetric: bool = False) -> tuple[tuple[str, ...], Array]:
        """Motions without flux (rigid bodies, constant temperature): names and values, shape (n, nc, n_modes)."""
