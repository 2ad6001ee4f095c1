"""Tubes whose material follows the circle, under internal pressure.

One layer, plane strain: Lekhnitskii, "Theory of Elasticity of an Anisotropic Body", 1963, section 40. With the
compliances of plane strain β_ij = a_ij - a_i3 a_j3 / a_33, axes r, θ, z, k = √(β_11 / β_22) and c = a / b:

    σ_r = p c^(k+1) / (1 - c^2k) ((r/b)^(k-1) - (b/r)^(k+1))
    σ_θ = p k c^(k+1) / (1 - c^2k) ((r/b)^(k-1) + (b/r)^(k+1))

and u_r = r (β_12 σ_r + β_22 σ_θ). Tolerance: 0.1 % of the largest displacement, 3 % of the largest stress
at any node, and refinement must bring the answer nearer.

Two layers: NAFEMS R0031/2, "Composites Benchmarks", 1995, wrapped thick cylinder, case 1: steel inside (E = 210 GPa,
ν = 0.3, radii 23 and 25 mm), hoop windings outside (to 27 mm; E_1 = 130, E_2 = E_3 = 5 GPa, ν_12 = ν_13 = 0.25,
ν_23 = 0, G_12 = G_13 = 10, G_23 = 5 GPa), 200 MPa inside, ends free. Targets and constants as printed by Altair,
OptiStruct verification problem OS-V:0510, and SOLIDWORKS Simulation, "Wrapped Thick Composite Cylinder".
Tolerance: 2 %.
"""

import numpy as np
import pytest

from dougong.meshes.mesh import Mesh
from dougong.solver.elements import stiffness_reference
from mapped import mapped
from meshgen import box, plate
from oriented import cylinder, fibres, made_of, turn
from solving import elastic, solve, value
from verification import published

A, B, P = 1.0, 2.0, 30.0
#: Stiff around, as wound; and as turned wood: stiff along the radius.
WOUND = {
    "e1": 10e3, "e2": 134e3, "e3": 9e3, "nu12": 0.024, "nu13": 0.4, "nu23": 0.3, "g12": 5e3, "g13": 3e3, "g23": 4e3,
}  # fmt: skip
RADIAL = WOUND | {"e1": 134e3, "e2": 10e3, "nu12": 0.3, "nu13": 0.3, "nu23": 0.4}


def lekhnitskii(constants, r):
    """Displacement, radial and hoop stress."""
    e1, e2, e3, nu12, nu13, nu23 = (constants[name] for name in ("e1", "e2", "e3", "nu12", "nu13", "nu23"))
    a = np.array([[1 / e1, -nu12 / e1, -nu13 / e1], [-nu12 / e1, 1 / e2, -nu23 / e2], [-nu13 / e1, -nu23 / e2, 1 / e3]])
    beta = a - np.outer(a[:, 2], a[2]) / a[2, 2]
    k, c = np.sqrt(beta[0, 0] / beta[1, 1]), A / B
    factor = P * c ** (k + 1) / (1 - c ** (2 * k))
    inward, outward = (r / B) ** (k - 1), (B / r) ** (k + 1)
    radial, hoop = factor * (inward - outward), factor * k * (inward + outward)
    return np.column_stack([r * (beta[0, 1] * radial + beta[1, 1] * hoop), radial, hoop])


def sector(p):
    r, angle = A + (B - A) * p[:, 0], np.pi / 3 * p[:, 1]
    return np.column_stack([r * np.cos(angle), r * np.sin(angle), 0.2 * p[:, 2:]])


def tube(cell_type, n, constants, **options):
    """A sector of the tube between planes of symmetry: radius, displacement, radial and hoop stress at its nodes."""
    planar = cell_type.startswith(("tri", "quad"))
    body = plate(cell_type, (n, n)) if planar else box(cell_type, (n, n, 1))
    body = mapped(body, sector)
    held = ("y0", "y1") if planar else ("y0", "y1", "z0", "z1")
    given = elastic(
        conditions=[{"region": r, "symmetry": {}} for r in held],
        loads=[{"region": "x0", "pressure": value(P)}],
        orientations={"around": cylinder([0.0, 0.0]) if planar else cylinder([0.0] * 3, [0.0, 0.0, 1.0])},
        solver=options,
    )
    section = {"orientation": "around"} | ({"kinematics": "KINEMATICS_PLANE_STRAIN"} if planar else {})
    solution = solve(body, made_of(fibres(**constants), given, **section))
    assert solution.step.balance.energy_error < 1e-7
    u, s = solution.field("displacement"), solution.field("stress")
    r = np.hypot(*body.points[:, :2].T)
    c, sn = body.points[:, 0] / r, body.points[:, 1] / r
    radial = c**2 * s[:, 0] + sn**2 * s[:, 1] + 2 * c * sn * s[:, 3]
    hoop = sn**2 * s[:, 0] + c**2 * s[:, 1] - 2 * c * sn * s[:, 3]
    return r, np.column_stack([c * u[:, 0] + sn * u[:, 1], radial, hoop])


def error(found, exact):
    return np.abs(found - exact).max(axis=0) / np.abs(exact).max(axis=0)


@pytest.mark.parametrize("constants", [WOUND, RADIAL], ids=["wound", "radial"])
@pytest.mark.parametrize(("cell_type", "n"), [("quad8", 10), ("tri6", 12), ("hex20", 8), ("hex27", 8)])
def test_one_layer(cell_type, n, constants):
    fine, coarse = (tube(cell_type, k, constants) for k in (n, n // 2))
    worse, better = (error(found, lekhnitskii(constants, r)) for r, found in (coarse, fine))
    assert better[0] < 1e-3
    assert better[1:].max() < 0.03
    assert (better < worse / [5.0, 2.4, 2.4]).all()


def test_one_layer_without_a_matrix():
    """The iteration on quadratic cells takes the law point by point."""
    options = {"method": "METHOD_ITERATIVE", "relativeTolerance": 1e-10}
    r, found = tube("hex20", 6, WOUND, **options)
    direct = tube("hex20", 6, WOUND, method="METHOD_DIRECT")[1]
    assert np.abs(found - direct).max() < 1e-6 * np.abs(direct).max()
    assert error(found, lekhnitskii(WOUND, r))[0] < 1e-3


HOOP = {("inner", 23.0): 1565.3, ("inner", 25.0): 1429.7, ("outer", 25.0): 874.7, ("outer", 27.0): 759.1}
STEEL = {"elastic": {"youngModulus": value(210e3), "poissonRatio": value(0.3)}}
WINDINGS = fibres(e1=130e3, e2=5e3, e3=5e3, nu12=0.25, nu13=0.25, nu23=0.0, g12=10e3, g13=10e3, g23=5e3)
#: The same with the hoop as axis 3, as it is about an axis of symmetry: ν_13 = ν_31 E_1 / E_3.
WINDINGS_OF_RING = fibres(
    e1=5e3, e2=5e3, e3=130e3, nu12=0.0, nu13=0.25 * 5 / 130, nu23=0.25 * 5 / 130, g12=5e3, g13=10e3, g23=10e3
)


def layers(material, orientation, dim, **section):
    """Sections of the two layers, by radius: boxes where the sector lies along x, and all other cells."""
    given = {"materials": {"inner": STEEL, "outer": material}}
    given["sections"] = [{"region": "inside", "material": "inner"} | section]
    given["sections"] += [{"region": "outside", "material": "outer"} | section | orientation]
    low, mid, high = [-99.0] * (dim - 1), 25.0, [999.0] * (dim - 1)
    boxes = {"inside": ([0.0, *low], [mid + 0.1, *high]), "outside": ([mid - 0.1, *low], [99.0, *high])}
    given["regions"] = {
        name: {"kind": "KIND_CELLS", "box": {"min": {"coordinates": a}, "max": {"coordinates": b}}}
        for name, (a, b) in boxes.items()
    }
    return given


def hoop_at_the_faces(body, solution, around):
    """Hoop stress of each layer at its faces, by a cubic through the integration points."""
    N = stiffness_reference(body.blocks[0].type.name).N
    x = (N @ body.points[body.blocks[0].nodes]).reshape(-1, body.dim)
    r = x[:, 0] if body.dim == 2 else np.hypot(x[:, 0], x[:, 1])
    hoop = around(x, solution.field("stress", "point"))
    of = {"inner": np.polyfit(r[r < 25], hoop[r < 25], 3), "outer": np.polyfit(r[r > 25], hoop[r > 25], 3)}
    return {(layer, radius): np.polyval(of[layer], radius) for layer, radius in HOOP}


def thin_sector(p):
    r, angle = 23.0 + 4.0 * p[:, 0], np.radians(2.0) * p[:, 1]
    return np.column_stack([r * np.cos(angle), r * np.sin(angle), 1.0 * p[:, 2]])


def around(x, s):
    """Hoop stress at points about the z axis."""
    r = np.hypot(x[:, 0], x[:, 1])
    c, sn = x[:, 0] / r, x[:, 1] / r
    return sn**2 * s[:, 0] + c**2 * s[:, 1] - 2 * c * sn * s[:, 3]


@pytest.mark.published
def test_wrapped_cylinder_about_its_axis():
    body = mapped(plate("quad8", (8, 2)), lambda p: p * [4.0, 2.0] + [23.0, 0.0])
    given = layers(WINDINGS_OF_RING, {}, 2, kinematics="KINEMATICS_AXISYMMETRIC")
    compare("axisymmetric", body, given, ("y0",), lambda x, s: s[:, 2])


@pytest.mark.published
def test_wrapped_cylinder_in_space():
    """Axis 1 along the windings: the axes of the cylinder turned by 90 degrees about axis 3."""
    body = mapped(box("hex20", (8, 2, 2)), thin_sector)
    given = layers(WINDINGS, {"orientation": "windings"}, 3)
    given["orientations"] = {"windings": cylinder([0.0] * 3, [0.0, 0.0, 1.0]) | turn(90.0)}
    compare("solid", body, given, ("y0", "y1", "z0"), around)


def compare(model: str, body: Mesh, given, held, hoop):
    step = {
        "static": {},
        "conditions": [{"region": r, "symmetry": {}} for r in held],
        "loads": [{"region": "x0", "pressure": value(200.0)}],
    }
    outputs = {"fields": [{"name": "stress", "location": "LOCATION_INTEGRATION_POINT"}]}
    found = hoop_at_the_faces(body, solve(body, given | {"steps": [step], "outputs": outputs}), hoop)
    for (layer, radius), target in HOOP.items():
        published.check(
            case="NAFEMS R0031/2 case 1",
            quantity=f"hoop stress in the {layer} cylinder at r = {radius:g} mm, {model}",
            source="NAFEMS R0031, Composites Benchmarks, 1995; as printed in OptiStruct OS-V:0510",
            target=target,
            ours=found[layer, radius],
            tolerance=0.02,
            unit="MPa",
        )
