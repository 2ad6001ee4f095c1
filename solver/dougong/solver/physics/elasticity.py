r"""Linear elasticity of solids, small displacements.

Find u with  ∫ ε(v) : C : ε(u) = ∫ v·b + ∫ v·t  for all v,  ε(u) = (∇u + ∇uᵀ)/2,  σ = C : ε.
(Hughes, "The Finite Element Method", 2000, section 2.7.)

Tensors are written as vectors xx, yy, zz, xy, yz, zx; strain vectors have engineering shear, 2 ε_xy. In the plane the
unknowns give xx, yy, xy alone. What zz is follows from them and is part of every result:

    plane strain   ε_zz = 0
    plane stress   σ_zz = 0, hence ε_zz = -(C_zx ε_xx + C_zy ε_yy + C_zxy 2 ε_xy) / C_zz
    axial symmetry ε_zz = u_x / x, with x the radius, y the axis, z the circumference

(Zienkiewicz, Taylor, "The Finite Element Method", volume 1, 2000, chapters 4 and 5.) With ε = T ε_plane the law of the
plane is Tᵀ C T. In plane stress ε_zz is eliminated from C, so that the stress zz is zero to the last digit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from skfem import BilinearForm, LinearForm
from skfem.helpers import dot, grad

from dougong.messages import violation
from dougong.solver import materials
from dougong.solver.laws.rotation import PAIRS, VOIGT, strain_rotation, turned
from dougong.solver.physics import _loads, _supports
from dougong.solver.physics._expansion import ThermalExpansion
from dougong.solver.physics._tensors import (
    direction,
    hydrostatic,
    max_shear,
    principal,
    principal_strain,
    tresca,
    vector,
    von_mises,
)
from dougong.solver.physics._vibration import check_buckling, check_modes
from dougong.solver.physics.base import Array, FieldSpec, Loads, Run, at_points
from dougong.v1 import analysis_pb2 as pb
from dougong.v1 import job_pb2, options_pb2

_ZZ = VOIGT.index("zz")
_OF_PLANE, _OF_RING = ("xx", "yy", "xy"), ("xx", "yy", "zz", "xy")

#: Loads that are inertia forces.
_INERTIA = ("gravity", "centrifugal", "euler")


def _strain(du: Any) -> Any:
    """Strain vector of a displacement gradient du[i, j] = ∂u_i/∂x_j, in the plane xx, yy, xy."""
    pairs = [p for p in PAIRS if max(p) < len(du)]
    return np.array([du[i, j] if i == j else du[i, j] + du[j, i] for i, j in pairs])


@BilinearForm
def stiffness(u: Any, v: Any, w: Any) -> Any:
    """ε(v) : C : ε(u)."""
    return np.einsum("i...,ij...,j...", _strain(grad(v)), w.coefficient, _strain(grad(u)))


@BilinearForm
def ring_stiffness(u: Any, v: Any, w: Any) -> Any:
    """ε(v) : C : ε(u) with the hoop strain."""
    return np.einsum("i...,ij...,j...", _ring_strain(v, w.x[0]), w.coefficient, _ring_strain(u, w.x[0]))


def _ring_strain(u: Any, radius: Any) -> Any:
    """Strain vector xx, yy, zz, xy about an axis."""
    xx, yy, xy = _strain(grad(u))
    return np.array([xx, yy, u[0] / radius, xy])


@LinearForm
def traction(v: Any, w: Any) -> Any:
    """V · t."""
    return dot(w.t, v)


@LinearForm
def spread_force(v: Any, w: Any) -> Any:
    """V · F / A."""
    return dot(w.force, v) / w.area


@LinearForm
def pressure(v: Any, w: Any) -> Any:
    """-p v · n."""
    return -w.p * dot(w.n, v)


@LinearForm
def body_force(v: Any, w: Any) -> Any:
    """Density times v · b."""
    return w.density * dot(w.b, v)


def _total_force(load: pb.Load, dim: int, loads: Loads) -> None:
    area = loads.measure(load.region)
    loads.on_facets(load.region, spread_force, force=load.total_force, area=area)


def _gravity(load: pb.Load, dim: int, loads: Loads) -> None:
    density = loads.section_values(lambda m: m.density.value)
    loads.on_cells(load.region, body_force, density=density, b=load.gravity)


def _strain_vector(gradients: Array, stress: Array) -> Array:
    """Strain vectors of displacement gradients, shape (n, nq, 3, 3) -> (n, nq, 6)."""
    return np.moveaxis(_strain(_front(gradients)), 0, -1)


#: Loads that hold the body.
_SUPPORTS = frozenset({"foundation"})


class Elasticity:
    """Static elasticity of solids, of sheets in plane stress, slices in plane strain, and bodies of revolution."""

    NAME = "elasticity"
    PROCEDURES: Mapping[str, Run] = {
        "static": Run("static", estimated=True),
        "modes": Run(
            "modes",
            held=False,
            check=lambda step, path, materials: check_modes(step, path, materials, _SUPPORTS),
            fields=("displacement",),
        ),
        "buckling": Run(
            "buckling",
            check=lambda step, path, materials: check_buckling(step, path, _SUPPORTS),
            fields=("displacement",),
        ),
    }
    UNKNOWN = "displacement"
    STIFFNESS, RING_STIFFNESS = stiffness, ring_stiffness
    KERNEL = "elasticity"
    DIMENSIONS = (2, 3)
    NEEDS_KINEMATICS = True
    CONDITIONS = _supports.CONDITIONS
    LOADS: Mapping[str, Callable[[pb.Load, int, Loads], None]] = {
        "pressure": lambda load, dim, loads: loads.on_facets(load.region, pressure, p=load.pressure),
        "traction": lambda load, dim, loads: loads.on_facets(load.region, traction, t=load.traction),
        "total_force": _total_force,
        "nodal_force": lambda load, dim, loads: loads.on_nodes(load.region, load.nodal_force),
        "gravity": _gravity,
        "body_force": lambda load, dim, loads: loads.on_cells(load.region, body_force, density=1.0, b=load.body_force),
        "centrifugal": _loads.centrifugal,
        "euler": _loads.euler,
        "hydrostatic": _loads.hydrostatic,
        "temperature": lambda load, dim, loads: loads.warm(load.region, load.temperature),
        **_supports.LOADS,
    }
    LOAD_REGIONS: Mapping[str, str] = {
        "pressure": "facets",
        "traction": "facets",
        "total_force": "facets",
        "nodal_force": "nodes",
        "gravity": "cells",
        "body_force": "cells",
        "centrifugal": "cells",
        "euler": "cells",
        "hydrostatic": "facets",
        "temperature": "body",
        **_supports.LOAD_REGIONS,
    }
    RESTRAINING_LOADS = _SUPPORTS
    UNDETERMINED = "FREE_MODES"
    NONLINEAR_LOADS: frozenset[str] = frozenset()
    NONLINEAR_CONSTANTS: tuple[str, ...] = ()
    EXPANSION = ThermalExpansion()
    FIELDS: Mapping[str, FieldSpec] = {
        "displacement": FieldSpec(("x", "y", "z"), options_pb2.DIMENSION_LENGTH),
        "reaction": FieldSpec(("x", "y", "z"), options_pb2.DIMENSION_FORCE),
        "constraint_force": FieldSpec(("x", "y", "z"), options_pb2.DIMENSION_FORCE),
        "stress": FieldSpec(VOIGT, options_pb2.DIMENSION_PRESSURE, lambda du, s: vector(s)),
        "strain": FieldSpec(VOIGT, options_pb2.DIMENSION_NONE, _strain_vector),
        "thermal_strain": FieldSpec(VOIGT, options_pb2.DIMENSION_NONE, _strain_vector, of="free"),
        "elastic_strain": FieldSpec(VOIGT, options_pb2.DIMENSION_NONE, _strain_vector, of="elastic"),
        "energy_density": FieldSpec(
            (), options_pb2.DIMENSION_ENERGY_DENSITY, lambda du, s: _energy_density(du, s), of="elastic"
        ),
        **{
            name: FieldSpec((), options_pb2.DIMENSION_PRESSURE, from_field=("stress", of))
            for name, of in (
                ("von_mises", von_mises),
                ("tresca", tresca),
                ("max_shear", max_shear),
                ("hydrostatic_stress", hydrostatic),
            )
        },
        "principal_stress": FieldSpec(
            ("p1", "p2", "p3"), options_pb2.DIMENSION_PRESSURE, from_field=("stress", principal)
        ),
        "principal_strain": FieldSpec(
            ("p1", "p2", "p3"), options_pb2.DIMENSION_NONE, from_field=("strain", principal_strain)
        ),
        **{
            f"principal_direction_{k + 1}": FieldSpec(
                ("x", "y", "z"), options_pb2.DIMENSION_NONE, from_field=("stress", direction(k))
            )
            for k in range(3)
        },
    }
    DEFAULT_FIELDS = ("displacement", "reaction", "stress", "von_mises")
    FLUX = "stress"

    def components(self, dim: int) -> tuple[str, ...]:
        """See `Physics`."""
        return ("x", "y", "z")[:dim]

    def check_material(self, material: pb.Material, path: str, dim: int = 3) -> list[job_pb2.Violation]:
        """The constants of one elastic model, and possible ones."""
        found = materials.check(material, "elasticity", path, dim) + self.EXPANSION.check(material, path)
        if self.varies(material) and not material.HasField("expansion"):
            found.append(violation("PROPERTY_WITHOUT_REFERENCE", f"{path}.expansion"))
        return found

    def check_load(self, load: pb.Load, path: str, material: pb.Material | None) -> list[job_pb2.Violation]:
        """Inertia needs a density; a foundation pulls back, if anything."""
        if load.WhichOneof("kind") in _INERTIA and material is not None and not material.density.value > 0:
            return [violation("MATERIAL_CONSTANT_MISSING", path, constant="density")]
        return _supports.check_foundation(load, path)

    def isotropic(self, material: pb.Material) -> bool:
        """See `Physics`."""
        return materials.model_of(material, "elasticity").isotropic

    def solid(self, material: pb.Material, temperature: Array | None = None) -> Array:
        """Elasticity matrix C in the axes of the material, shape (6, 6)."""
        return materials.matrix_of(material, "elasticity", temperature)

    def varies(self, material: pb.Material) -> bool:
        """See `Physics`."""
        return materials.varies(material, "elasticity")

    def reference(self, material: pb.Material) -> float:
        """See `Physics`."""
        return self.EXPANSION.reference(material)

    def turned(self, coefficient: Array, axes: Array) -> Array:
        """MᵀCM with the rotation M of strain vectors."""
        return turned(coefficient, strain_rotation(axes))

    def reduced(self, coefficient: Array, dim: int, kinematics: pb.Section.Kinematics) -> tuple[Array, Array]:
        """Strains of the solid from xx, yy, xy in the plane, or xx, yy, zz, xy about an axis; ε_zz of plane stress."""
        C = coefficient
        names = VOIGT if dim == 3 else _OF_RING if kinematics == pb.Section.KINEMATICS_AXISYMMETRIC else _OF_PLANE
        T = np.zeros((*C.shape[:-1], len(names)))
        T[...] = np.eye(6)[:, [VOIGT.index(c) for c in names]]
        if kinematics == pb.Section.KINEMATICS_PLANE_STRESS:
            stiffness_zz = C[..., _ZZ, _ZZ, None]
            T[..., _ZZ, :] = -(C @ T)[..., _ZZ, :] / stiffness_zz
            C = C - C[..., :, _ZZ, None] * C[..., None, _ZZ, :] / stiffness_zz[..., None]
            C[..., _ZZ, :] = C[..., :, _ZZ] = 0.0
        return C, T

    def completed(self, embedding: Array, gradients: Array, hoop: Array | None) -> Array:
        """Displacement gradients of the solid, shape (n, nq, 3, 3)."""
        if gradients.shape[-1] == 3:
            return gradients
        out = np.zeros((*gradients.shape[:2], 3, 3))
        out[..., :2, :2] = gradients
        if hoop is not None:
            out[..., 2, 2] = hoop
        else:
            of_strains = np.moveaxis(embedding[..., _ZZ, :], -1, 0)  # (3, n, p)
            out[..., 2, 2] = (of_strains * _strain(_front(gradients))).sum(axis=0)
        return out

    def flux(self, coefficient: Array, gradients: Array) -> Array:
        """Stress tensor σ = C : ε."""
        s = at_points(coefficient, _strain(_front(gradients)))
        out = np.empty_like(gradients)
        for k, (i, j) in enumerate(PAIRS):
            out[..., i, j] = out[..., j, i] = s[k]
        return out

    def free_modes(self, points: Array, axisymmetric: bool = False) -> tuple[tuple[str, ...], Array]:
        """Rigid-body motions: translations, and rotations about axes through the origin."""
        if points.shape[1] == 2:
            plane = np.zeros((len(points), 2, 3))
            plane[:, [0, 1], [0, 1]] = 1.0
            plane[:, 0, 2], plane[:, 1, 2] = -points[:, 1], points[:, 0]
            if axisymmetric:
                return ("translation y",), plane[:, :, 1:2]
            return ("translation x", "translation y", "rotation z"), plane
        modes = np.zeros((len(points), 3, 6))
        for axis in range(3):
            modes[:, axis, axis] = 1.0
            modes[:, :, 3 + axis] = np.cross(np.eye(3)[axis], points)
        names = ("translation x", "translation y", "translation z", "rotation x", "rotation y", "rotation z")
        return names, modes


def _energy_density(gradients: Array, stress: Array) -> Array:
    """Strain energy over volume, ½ σ : ε, shape (n, nq, 1)."""
    return 0.5 * np.einsum("nqij,nqij->nq", stress, gradients)[..., None]


def _front(gradients: Array) -> Array:
    """(n, nq, i, j) -> (i, j, n, nq)."""
    return np.moveaxis(gradients, (2, 3), (0, 1))


PHYSICS = Elasticity()
