"""Linear equations: periodic cells, chains, what contradicts and what is redundant, on nodes and reference points."""

from itertools import pairwise

import numpy as np
import pytest

from linked_models import renumbered
from meshgen import box, plate
from solving import check_model, elastic, heat, kinematics, solve, store, value, vector

DIRECT = {"method": "METHOD_DIRECT"}
E, NU = 1000.0, 0.3


def term(node, component, coefficient):
    return {"node": node, "component": f"COMPONENT_{component.upper()}", "coefficient": coefficient}


def periodic(mesh, strain):
    """u(x + e) - u(x) = strain e for opposite faces of a unit cell, all pairs, also where they are not independent."""
    found = []
    x = mesh.points
    for axis in range(x.shape[1]):
        low = np.flatnonzero(x[:, axis] < 1e-9)
        for a in low:
            away = x - (x[a] + np.eye(x.shape[1])[axis])
            b = int(np.flatnonzero(np.linalg.norm(away, axis=1) < 1e-9)[0])
            for i, c in enumerate("xyz"[: x.shape[1]]):
                terms = [term(b + 1, c, 1.0), term(int(a) + 1, c, -1.0)]
                found.append({"terms": terms, "value": float(strain[i, axis])})
    return found


def corner(mesh):
    point = {"kind": "KIND_NODES", "sphere": {"center": {"coordinates": [0.0] * mesh.dim}, "radius": 1e-6}}
    return {"corner": point}


STRAIN = np.array([[1e-3, 2e-4, -3e-4], [2e-4, -5e-4, 1e-4], [-3e-4, 1e-4, 7e-4]])


def stress_of(strain):
    return E / (1 + NU) * (strain + NU / (1 - 2 * NU) * np.trace(strain) * np.eye(3))


@pytest.mark.parametrize("kind", ["hex8", "tet10"])
def test_a_periodic_cell_of_one_material_has_one_strain(kind):
    mesh, _ = renumbered(box(kind, (2, 2, 2)))
    given = elastic(
        E=E, nu=NU, regions=corner(mesh), conditions=[{"region": "corner", "fixed": {}}],
        equations=periodic(mesh, STRAIN), solver=DIRECT,
    )  # fmt: skip
    solution = solve(mesh, given)
    assert np.abs(solution.field("displacement") - mesh.points @ STRAIN.T).max() < 1e-12
    s = stress_of(STRAIN)
    expected = [s[0, 0], s[1, 1], s[2, 2], s[0, 1], s[1, 2], s[2, 0]]
    assert np.abs(solution.field("stress") - expected).max() < 1e-10
    # Edges and corners belong to several faces: some of their equations say nothing new.
    assert any("follow from the others" in n.text for n in solution.result.notices)
    balance = solution.step.balance
    assert balance.internal_energy == pytest.approx(0.5 * np.sum(s * STRAIN), rel=1e-10)
    assert balance.energy_error < 1e-10
    assert balance.equilibrium_error < 1e-10


def test_a_laminate_has_the_mean_moduli():
    """Two layers in series: one over the mean of 1 / (lambda + 2 mu) across them."""
    mesh = plate("quad4", (4, 4))
    strain = np.array([[1e-3, 0.0], [0.0, 0.0]])
    half = {"kind": "KIND_CELLS", "box": {"min": {"coordinates": [0, 0]}, "max": {"coordinates": [0.5, 1]}}}
    rest = {"kind": "KIND_CELLS", "box": {"min": {"coordinates": [0.5, 0]}, "max": {"coordinates": [1, 1]}}}
    given = elastic(
        E=E, nu=NU, regions=corner(mesh) | {"half": half, "rest": rest},
        conditions=[{"region": "corner", "fixed": {}}], equations=periodic(mesh, strain), solver=DIRECT,
    )  # fmt: skip
    given["materials"]["soft"] = {"elastic": {"youngModulus": value(E / 4), "poissonRatio": value(NU)}}
    plane = kinematics("plane_strain")[0]
    given["sections"] = [plane | {"region": "half"}, plane | {"region": "rest", "material": "soft"}]
    stiff = E * (1 - NU) / ((1 + NU) * (1 - 2 * NU))
    expected = 1e-3 / (0.5 / stiff + 0.5 / (stiff / 4))
    assert solve(mesh, given).field("stress")[:, 0] == pytest.approx(expected, rel=1e-10)


def ends(equations, **more):
    """A bar of unit cross-section, held at x0, whose end nodes equations tie."""
    return elastic(
        E=E, nu=0.0, conditions=[{"region": "x0", "fixed": {}}], equations=equations, solver=DIRECT, **more,
    )  # fmt: skip


def end_nodes(mesh):
    return (np.flatnonzero(mesh.points[:, 0] > mesh.points[:, 0].max() - 1e-9) + 1).tolist()


def test_a_chain_of_slaves():
    """Each node of the end follows the next one; the last is pulled, and so all are."""
    mesh = box("hex8", (3, 1, 1), (3, 1, 1))
    nodes = end_nodes(mesh)
    chain = [{"terms": [term(a, "x", 1.0), term(b, "x", -1.0)]} for a, b in pairwise(nodes)]
    last = {
        "kind": "KIND_NODES",
        "sphere": {"center": {"coordinates": mesh.points[nodes[-1] - 1].tolist()}, "radius": 1e-6},
    }
    given = ends(chain, regions={"last": last}, loads=[{"region": "last", "nodalForce": vector(x=10.0)}])
    solution = solve(mesh, given)
    assert np.abs(solution.field("stress") - [10.0, 0, 0, 0, 0, 0]).max() < 1e-9
    assert solution.step.balance.load_sum[0] == pytest.approx(10.0)
    assert solution.step.balance.reaction_sum[0] == pytest.approx(-10.0)


def test_a_lever_pulls_on_nothing():
    """u_a = 2 u_b: what the equation holds against nothing is part of the equilibrium, and told."""
    mesh = box("hex8", (3, 1, 1), (3, 1, 1))
    a, b, *_ = end_nodes(mesh)
    given = ends(
        [{"terms": [term(a, "x", 1.0), term(b, "x", -2.0)]}], loads=[{"region": "x1", "traction": vector(x=10.0)}]
    )
    solution = solve(mesh, given)
    u = solution.field("displacement")
    assert u[a - 1, 0] == pytest.approx(2 * u[b - 1, 0], rel=1e-12)
    balance = solution.step.balance
    assert abs(balance.link_sum[0]) > 0.1
    assert balance.equilibrium_error < 1e-12
    assert balance.energy_error < 1e-12


def test_a_prescribed_master_moves_its_slave():
    mesh = box("hex8", (2, 1, 1))
    a, b, c, d = end_nodes(mesh)
    follow = [{"terms": [term(n, "x", 1.0), term(a, "x", -1.0)], "value": 0.0} for n in (b, c, d)]
    held = {"kind": "KIND_NODES", "sphere": {"center": {"coordinates": mesh.points[a - 1].tolist()}, "radius": 1e-6}}
    given = ends(follow, regions={"one": held})
    given["steps"][0]["conditions"].append({"region": "one", "displacement": {"x": value(0.01)}})
    solution = solve(mesh, given)
    assert solution.field("displacement")[[a - 1, b - 1, c - 1, d - 1], 0] == pytest.approx(0.01, rel=1e-12)
    # The force that moves all four is the reaction of the one that is held.
    moved = next(s for s in solution.step.reactions if s.region == "one")
    assert moved.sum[0] == pytest.approx(E * 0.01, rel=1e-9)


def test_temperatures_are_equal_where_equations_say_so():
    """A perfect conductor between two faces, as equations: each half of the wall takes half the drop."""
    mesh = plate("quad4", (2, 1))
    given = heat(
        conditions=[{"region": "x0", "temperature": value(100.0)}], loads=[{"region": "x1", "heatFlux": value(-5.0)}],
        solver=DIRECT,
    )  # fmt: skip
    a, b = end_nodes(mesh)
    given["equations"] = [{"terms": [term(a, "temperature", 1.0), term(b, "temperature", -1.0)], "value": 3.0}]
    solution = solve(mesh, given)
    T = solution.field("temperature")[:, 0]
    assert T[a - 1] - T[b - 1] == pytest.approx(3.0)
    assert solution.step.balance.energy_error < 1e-10


def test_contradictions_name_the_equations():
    mesh = box("hex8", (2, 1, 1))
    a, b, c, _ = end_nodes(mesh)
    loop = [
        {"terms": [term(a, "x", 1.0), term(b, "x", -1.0)]},
        {"terms": [term(b, "x", 1.0), term(c, "x", -1.0)]},
        {"terms": [term(c, "x", 1.0), term(a, "x", -1.0)], "value": 0.5},
    ]
    found = check_model(mesh, ends(loop, loads=[{"region": "x1", "traction": vector(x=1.0)}])).violations
    assert [v.reason for v in found] == ["EQUATIONS_CONTRADICT"]
    assert found[0].params["equations"] == "equations[0], equations[1], equations[2]"
    assert solve(mesh, ends(loop)).failure.violations[0].reason == "EQUATIONS_CONTRADICT"
    loop[2]["value"] = 0.0
    solution = solve(mesh, ends(loop, loads=[{"region": "x1", "traction": vector(x=1.0)}]))
    assert any("1 equation(s) of equations[0], equations[1], equations[2]" in n.text for n in solution.result.notices)
    held = [{"terms": [term(1, "x", 1.0)], "value": 0.1}]
    assert mesh.points[0, 0] == 0
    assert [v.reason for v in check_model(mesh, ends(held)).violations] == ["EQUATION_CONTRADICTS_CONDITIONS"]


@pytest.mark.mpi
def test_the_same_on_three_ranks():
    mesh = box("tet10", (2, 2, 2))
    stored = store(mesh)
    given = elastic(
        E=E, nu=NU, regions=corner(mesh), conditions=[{"region": "corner", "fixed": {}}],
        equations=periodic(mesh, STRAIN), loads=[{"region": "", "bodyForce": vector(x=3.0)}],
        solver={"method": "METHOD_ITERATIVE", "relativeTolerance": 1e-12},
    )  # fmt: skip
    one, three = solve(stored, given), solve(stored, given, 3)
    a = one.field("displacement")
    assert np.abs(a - three.field("displacement")).max() < 1e-9 * np.abs(a).max()
    assert one.step.constrained_dofs == three.step.constrained_dofs
