"""Heated bodies with exact solutions, on every cell type and in every kinematics.

Free bodies expand without stress; held ones are stressed by -E α ΔT along what holds them.
"""

import numpy as np
import pytest

from dougong.meshes.mesh import Mesh
from mapped import rotation
from meshgen import box, plate
from solving import elastic, kinematics, solve, value, vector
from thermal_cases import ALPHA, COLD, HOT, expansion, heated, orthotropic, table, warm
from verification.test_patch import PLANES, SOLIDS

RISE = HOT - COLD
E, NU = 2.1e5, 0.3
DIRECT = {"method": "METHOD_DIRECT"}


def ring_mesh(cell_type, **how):
    """Half a section of a ring: radius 1 to 2."""
    mesh = plate(cell_type, (2, 2), **how)
    return Mesh(mesh.points + np.array([1.0, 0.0]), mesh.blocks, mesh.regions)


def crooked(cell_type, kind=""):
    how = {"distort": 0.3, "curve": 0.1 if cell_type.startswith("pyramid") else 0.2, "seed": 4}
    if cell_type in PLANES:
        return ring_mesh(cell_type, **how) if kind == "axisymmetric" else plate(cell_type, (2, 2), **how)
    return box(cell_type, (2, 2, 2), **how)


def corner(place):
    """The node at a place."""
    return {"kind": "KIND_NODES", "sphere": {"center": {"coordinates": place.tolist()}, "radius": 1e-6}}


def evidence(balance, error=1e-12):
    assert balance.equilibrium_error < error
    assert balance.energy_error < error


@pytest.mark.parametrize("cell_type", SOLIDS)
def test_a_free_solid_expands_without_stress(cell_type):
    mesh = crooked(cell_type)
    solved = solve(mesh, heated(HOT, ("x0", "y0", "z0"), E, NU, solver=DIRECT))
    strain = np.array([1, 1, 1, 0, 0, 0]) * ALPHA * RISE
    assert np.abs(solved.field("displacement") - ALPHA * RISE * mesh.points).max() < 1e-13
    assert np.abs(solved.field("stress")).max() < 1e-9 * E * ALPHA * RISE
    assert np.abs(solved.field("thermal_strain") - strain).max() < 1e-15
    assert np.abs(solved.field("strain") - strain).max() < 1e-13
    assert np.abs(solved.field("elastic_strain")).max() < 1e-13
    evidence(solved.step.balance)


@pytest.mark.parametrize("kind", ["plane_stress", "plane_strain", "axisymmetric"])
@pytest.mark.parametrize("cell_type", PLANES)
def test_a_free_plane_model(cell_type, kind):
    """Across a slice in plane strain nothing can expand: stress zz = -E α ΔT, and (1 + ν) α ΔT in the plane."""
    mesh = crooked(cell_type, kind)
    held = ("y0",) if kind == "axisymmetric" else ("x0", "y0")
    solved = solve(mesh, heated(HOT, held, E, NU, sections=kinematics(kind), solver=DIRECT))
    along = ALPHA * RISE * (1 + NU if kind == "plane_strain" else 1)
    across = 0.0 if kind == "plane_strain" else ALPHA * RISE
    assert np.abs(solved.field("displacement") - along * mesh.points).max() < 1e-13
    stress = np.zeros(6)
    stress[2] = -E * ALPHA * RISE if kind == "plane_strain" else 0.0
    assert np.abs(solved.field("stress") - stress).max() < 1e-9 * E * ALPHA * RISE
    assert np.abs(solved.field("strain") - np.array([along, along, across, 0, 0, 0])).max() < 1e-13
    evidence(solved.step.balance)


@pytest.mark.parametrize("cell_type", [*SOLIDS, *PLANES])
def test_a_bar_held_at_its_ends(cell_type):
    """Stress -E α ΔT along it, strain energy E (α ΔT)^2 / 2 over its volume, reactions that press on it."""
    plane = cell_type in PLANES
    sections = {"sections": kinematics("plane_stress")} if plane else {}
    mesh = crooked(cell_type)
    held = ("x0", "x1", "y0") if plane else ("x0", "x1", "y0", "z0")
    solved = solve(mesh, heated(HOT, held, E, NU, solver=DIRECT, **sections))
    pressed = -E * ALPHA * RISE
    stress = np.array([pressed, 0, 0, 0, 0, 0])
    assert np.abs(solved.field("stress") - stress).max() < 1e-9 * abs(pressed)
    sums = {r.region: r.sum[0] for r in solved.step.reactions}
    assert sums["x0"] == pytest.approx(-pressed, rel=1e-9)
    assert sums["x1"] == pytest.approx(pressed, rel=1e-9)
    balance = solved.step.balance
    assert balance.internal_energy == pytest.approx(E * (ALPHA * RISE) ** 2 / 2, rel=1e-9)
    assert balance.external_work == pytest.approx(balance.internal_energy, rel=1e-9)
    evidence(balance)


@pytest.mark.parametrize("kind", ["plane_strain", "axisymmetric", ""])
def test_held_on_all_sides(kind):
    """No strain: -E α ΔT / (1 - 2 ν) in all directions."""
    cell = "hex20" if not kind else "quad8"
    mesh = crooked(cell, kind)
    faces = ("x0", "x1", "y0", "y1") + (() if kind else ("z0", "z1"))
    sections = {"sections": kinematics(kind)} if kind else {}
    held = [{"region": r, "fixed": {}} for r in faces]
    solved = solve(mesh, heated(HOT, (), E, NU, conditions=held, solver=DIRECT, **sections))
    pressed = -E * ALPHA * RISE / (1 - 2 * NU)
    assert np.abs(solved.field("stress") - pressed * np.array([1, 1, 1, 0, 0, 0])).max() < 1e-9 * abs(pressed)
    evidence(solved.step.balance)


@pytest.mark.parametrize("cell_type", ["tri6", "quad8", "quad9", "tet10", "hex20", "hex27", "wedge15", "wedge18"])
def test_a_temperature_linear_in_space_makes_no_stress(cell_type):
    """A free body stays free of stress (Timoshenko, Goodier, "Theory of Elasticity", 1970, article 150).

    u = α (x T' y + ...): quadratic, as the unknowns of these cells are while they are straight.
    """
    plane = cell_type in PLANES
    sections = {"sections": kinematics("plane_stress")} if plane else {}
    mesh = plate(cell_type, (3, 3), (2.0, 1.0)) if plane else box(cell_type, (3, 2, 2), (2.0, 1.0, 1.0))
    low, top = mesh.points.min(axis=0), mesh.points.max(axis=0)
    axis = np.arange(len(low))
    regions = {"a": corner(low), "b": corner(np.where(axis == 0, top, low)), "c": corner(np.where(axis == 1, top, low))}
    conditions = [
        {"region": "a", "fixed": {}},
        {"region": "b", "displacement": vector(y=0.0) if plane else vector(y=0.0, z=0.0)},
    ]
    if not plane:
        conditions.append({"region": "c", "displacement": vector(z=0.0)})
    field = "60 + 50*x - 30*y" + ("" if plane else " + 10*z")
    solved = solve(mesh, heated(field, (), E, NU, conditions=conditions, regions=regions, solver=DIRECT, **sections))
    assert np.abs(solved.field("stress")).max() < 1e-8 * E * ALPHA * 100
    assert np.abs(solved.field("strain")).max() > 0.5 * ALPHA * 80
    evidence(solved.step.balance, 1e-9)


def test_expansion_along_the_axes_of_the_material():
    """A free body whose material is turned: u = Aᵀ diag(α) A x ΔT."""
    alphas = (1e-5, 3e-5, -0.5e-5)
    A = rotation((1.0, 2.0, 3.0), 0.7)
    mesh = crooked("hex20")
    axes = {"xAxis": {"coordinates": A[0].tolist()}, "xyPlane": {"coordinates": (A[0] + A[1]).tolist()}}
    strain = A.T @ np.diag(alphas) @ A * RISE
    exact = mesh.points @ strain.T
    given = heated(
        HOT, (), E, NU, material=orthotropic(alphas), sections=[{"material": "m", "orientation": "turned"}],
        orientations={"turned": {"axes": axes}}, regions={"corner": corner(np.zeros(3))}, solver=DIRECT,
        conditions=[{"region": "corner", "fixed": {}}],
    )  # fmt: skip
    # It is held against turning by the exact displacements of two more corners.
    for name, place, components in (("b", (1.0, 0, 0), "yz"), ("c", (0, 1.0, 0), "z")):
        given["regions"][name] = corner(np.array(place))
        values = strain @ np.array(place)
        known = {c: float(values["xyz".index(c)]) for c in components}
        given["steps"][0]["conditions"].append({"region": name, "displacement": vector(**known)})
    solved = solve(mesh, given)
    assert np.abs(solved.field("displacement") - exact).max() < 1e-12
    assert np.abs(solved.field("stress")).max() < 1e-8 * E * 1e-3
    tensor = np.array([strain[0, 0], strain[1, 1], strain[2, 2], 2 * strain[0, 1], 2 * strain[1, 2], 2 * strain[2, 0]])
    assert np.abs(solved.field("thermal_strain") - tensor).max() < 1e-15


def test_a_cylindrical_orientation():
    """A quarter of a ring that expands along its radius only."""
    straight = box("hex20", (2, 8, 1))
    r, angle = 1.0 + straight.points[:, 0], straight.points[:, 1] * np.pi / 2
    points = np.column_stack([r * np.cos(angle), r * np.sin(angle), straight.points[:, 2]])
    mesh = Mesh(points, straight.blocks, straight.regions)
    around = {"cylindrical": {"axis": {"coordinates": [0.0, 0.0, 1.0]}}}
    fixed = [{"region": r, "fixed": {}} for r in ("x0", "x1", "y0", "y1", "z0", "z1")]
    given = heated(
        HOT, (), E, 0.0, material=orthotropic((ALPHA, 0.0, 0.0)), orientations={"around": around}, conditions=fixed,
        sections=[{"material": "m", "orientation": "around"}], solver=DIRECT,
    )  # fmt: skip
    found = solve(mesh, given).field("thermal_strain")
    direction = mesh.points[:, :2] / np.linalg.norm(mesh.points[:, :2], axis=1, keepdims=True)
    exact = np.column_stack([direction[:, 0] ** 2, direction[:, 1] ** 2, 2 * direction[:, 0] * direction[:, 1]])
    assert np.abs(found[:, [0, 1, 3]] - ALPHA * RISE * exact).max() < 0.02 * ALPHA * RISE
    assert np.abs(found[:, 2]).max() < 1e-12


def test_stiffness_over_temperature():
    """A held bar: -E(T) α(T) (T - T0) + E(T) α(Tr) (Tr - T0), secant coefficients from T0 = 0."""
    modulus = table(at=[0.0, 100.0, 200.0], value=[2.0e5, 1.8e5, 1.0e5])
    alpha = table(at=[0.0, 200.0], value=[1.0e-5, 1.4e-5])
    material = {"elastic": {"youngModulus": modulus, "poissonRatio": value(NU)}}
    material |= expansion(alpha, COLD, zero=value(0.0))
    solved = solve(crooked("hex20"), heated(HOT, ("x0", "x1", "y0", "z0"), material=material, solver=DIRECT))
    stiffness = 1.64e5
    strain = 1.24e-5 * HOT - 1.04e-5 * COLD
    assert np.abs(solved.field("stress")[:, 0] + stiffness * strain).max() < 1e-9 * stiffness * strain
    assert solved.field("thermal_strain")[0, 0] == pytest.approx(strain, rel=1e-12)
    evidence(solved.step.balance)


@pytest.mark.parametrize("cell_type", ["hex8", "hex20", "tet10", "quad8"])
def test_a_bar_with_a_gradient_of_stiffness(cell_type):
    """Temperature T(x) linear, E linear in T, ν = 0, pulled by a stress s: u(L) = s / E' ln(E2 / E1) + α L (Tm - Tr).

    E' = dE/dx; from ∫ s / E(x) dx. It expands along its axis alone: its end need not warp.
    """
    L, s, first, second = 4.0, 100.0, 2.0e5, 1.0e5
    plane = cell_type == "quad8"
    sections = {"sections": kinematics("plane_stress")} if plane else {}
    mesh = plate(cell_type, (20, 1), (L, 1.0)) if plane else box(cell_type, (20, 1, 1), (L, 1.0, 1.0))
    modulus = table(at=[0.0, 400.0], value=[first, second])
    material = {"elastic": {"youngModulus": modulus, "poissonRatio": value(0.0)}} | orthotropic((ALPHA, 0.0, 0.0))
    faces = ("x0", "y0") if plane else ("x0", "y0", "z0")
    for kept in ({}, {"method": "METHOD_ITERATIVE", "relativeTolerance": 1e-12}):
        given = heated(
            "100*x", faces, material=material, loads=[{"region": "x1", "pressure": value(-s)}], solver=kept, **sections
        )
        solved = solve(mesh, given)
        exact = s * L / (second - first) * np.log(second / first) + ALPHA * L * (200.0 - COLD)
        tip = solved.field("displacement")[mesh.points[:, 0] == L, 0].mean()
        assert tip == pytest.approx(exact, rel=1e-3 if cell_type == "hex8" else 1e-5)
        evidence(solved.step.balance, 1e-8)


def test_regions_and_what_lies_on_top():
    """A region of cells ends at its boundary, one of nodes fades; the later load counts, elsewhere nothing happens."""
    mesh = box("hex8", (4, 1, 1), (4.0, 1.0, 1.0))
    half = {"min": {"coordinates": [0, 0, 0]}, "max": {"coordinates": [2, 1, 1]}}
    regions = {"cells": {"kind": "KIND_CELLS", "box": half}, "nodes": {"kind": "KIND_NODES", "box": half}}

    def tip(*loads):
        given = elastic(
            E, NU, material=expansion(), regions=regions, loads=list(loads), solver=DIRECT,
            conditions=[{"region": r, "symmetry": {}} for r in ("x0", "y0", "z0")],
        )  # fmt: skip
        u = solve(mesh, given).field("displacement")
        return u[mesh.points[:, 0] == 4.0, 0].mean() / (ALPHA * RISE)

    assert tip(warm(HOT, "cells")) == pytest.approx(2.0, abs=0.05)
    assert tip(warm(HOT, "nodes")) == pytest.approx(2.5, abs=0.05)
    assert tip(warm(HOT), warm(COLD, "cells")) == pytest.approx(2.0, abs=0.05)
    assert tip(warm(COLD, "cells"), warm(HOT)) == pytest.approx(4.0, abs=1e-9)
    assert tip(warm(HOT, "x1")) == pytest.approx(0.5, abs=0.05)


def test_load_cases_have_temperatures_of_their_own():
    """What a case says counts instead of what the step says; combinations superpose thermal strain too."""
    mesh = box("hex20", (2, 1, 1))
    given = heated(HOT, ("x0", "x1", "y0", "z0"), solver=DIRECT)
    pressure = {"region": "y1", "pressure": value(10.0)}
    given["steps"][0] |= {
        "loadCases": [
            {"name": "warm"}, {"name": "hot", "loads": [warm(220.0)]}, {"name": "pressed", "loads": [pressure]},
        ],
        "combinations": [{"name": "both", "factors": {"hot": 1.0, "pressed": 2.0}}],
    }  # fmt: skip
    solved = solve(mesh, given)
    once, push = -2.1e5 * ALPHA * RISE, -10.0
    for frame, (x, y) in enumerate(
        [(once, 0), (2 * once, 0), (once + NU * push, push), (2 * (once + NU * push), 2 * push)]
    ):
        stress = solved.field("stress", frame=frame)
        assert np.abs(stress - np.array([x, y, 0, 0, 0, 0])).max() < 1e-8 * abs(once), frame
        balance = solved.step.frames[frame].balance
        evidence(balance, 1e-9)
    strains = [solved.field("thermal_strain", frame=k)[0, 0] / (ALPHA * RISE) for k in range(4)]
    assert strains == pytest.approx([1.0, 2.0, 1.0, 2.0], rel=1e-12)


@pytest.mark.mpi
@pytest.mark.parametrize("method", ["METHOD_DIRECT", "METHOD_ITERATIVE"])
def test_ranks_and_rotation(method):
    """A hot spot in a turned body, whose stiffness depends on temperature, on 1, 2 and 3 ranks."""
    straight = box("tet10", (3, 2, 2), (2.0, 1.0, 1.0), distort=0.2)
    modulus = table(at=[0.0, 200.0], value=[2.0e5, 1.5e5])
    material = {"elastic": {"youngModulus": modulus, "poissonRatio": value(NU)}}
    solver = {"method": method, "relativeTolerance": 1e-12}
    fields = {
        "fields": [{"name": n} for n in ("displacement", "stress", "von_mises", "thermal_strain", "energy_density")]
    }

    def given(Q):
        x = [" + ".join(f"{float(Q[i, j])!r}*{'xyz'[i]}" for i in range(3)) for j in range(3)]  # Qᵀ x
        temperature = f"20 + 150*exp(-4*(({x[0]}-1)^2 + ({x[1]}-0.4)^2))".replace("+ -", "- ")
        made = heated(temperature, (), material=material, conditions=[{"region": "x0", "fixed": {}}], solver=solver)
        return made | {"outputs": fields}

    one = solve(straight, given(np.eye(3)))
    for ranks in (2, 3):
        several = solve(straight, given(np.eye(3)), ranks)
        for info in one.result.fields:
            a, b = one.field(info.name), several.field(info.name)
            assert np.abs(a - b).max() <= 1e-8 * np.abs(a).max(), info.name
        assert several.step.balance.energy_error < 1e-8
        assert several.step.balance.internal_energy == pytest.approx(one.step.balance.internal_energy, rel=1e-8)
    Q = rotation((1.0, -2.0, 0.5), 1.1)
    turned = solve(Mesh(straight.points @ Q.T, straight.blocks, straight.regions), given(Q))
    a, b = one.field("displacement") @ Q.T, turned.field("displacement")
    assert np.abs(a - b).max() <= 1e-8 * np.abs(a).max()
    a, b = one.field("von_mises"), turned.field("von_mises")
    assert np.abs(a - b).max() <= 1e-8 * np.abs(a).max()
