"""Build the bracket and its mesh again; needs the Python module `gmsh` (and the GL libraries it loads).

A bearing bracket, as it carries the end of a shaft or a pin: a base plate with four bolt holes, an upright plate with
a bored lug, and a triangular rib in front of the upright. Fillets join the three plates, the corners of the base plate
are rounded. Millimetres.

    python make_mesh.py [bracket.msh]

Physical groups: the volume `bracket`; the surfaces `bolts` (walls of the four holes), `lug` (wall of the bore) and
`base` (underside).
"""

from __future__ import annotations

import math
import sys

import gmsh

# Base plate: length along x, width along y, thickness along z; rounded corners; four holes for M10 bolts.
BASE_LENGTH, BASE_WIDTH, BASE_THICKNESS, CORNER_RADIUS = 120.0, 90.0, 12.0, 12.0
HOLE_RADIUS, HOLE_X, HOLE_Y = 5.5, 46.0, 31.0
# Upright: a plate across x whose top is a half cylinder around the bore.
UPRIGHT_X, UPRIGHT_THICKNESS, UPRIGHT_RADIUS, BORE_HEIGHT, BORE_RADIUS = -22.0, 14.0, 26.0, 90.0, 13.0
# The boss around the bore stands out on both sides of the upright.
BOSS_RADIUS, BOSS_LENGTH = 21.0, 24.0
# Rib: a triangle in the plane y = 0.
RIB_THICKNESS, RIB_FOOT, RIB_TOP, RIB_TOE = 10.0, 42.0, 64.0, 6.0
FILLET_RADIUS, BOSS_FILLET_RADIUS = 5.0, 2.5
# Target edge lengths.
SIZE_FAR, SIZE_FILLET, SIZE_HOLE, SIZE_BORE = 9.0, 2.6, 2.8, 3.6


def build_solid() -> int:
    """Make the solid with OpenCASCADE; returns the tag of its volume."""
    occ = gmsh.model.occ
    base = occ.addBox(-BASE_LENGTH / 2, -BASE_WIDTH / 2, 0, BASE_LENGTH, BASE_WIDTH, BASE_THICKNESS)
    occ.synchronize()
    upright_edges = [tag for tag in edges_of([(3, base)]) if is_vertical(tag)]
    base = occ.fillet([base], upright_edges, [CORNER_RADIUS])[0][1]

    x0 = UPRIGHT_X - UPRIGHT_THICKNESS / 2
    plate = occ.addBox(
        x0, -UPRIGHT_RADIUS, BASE_THICKNESS, UPRIGHT_THICKNESS, 2 * UPRIGHT_RADIUS, BORE_HEIGHT - BASE_THICKNESS
    )
    round_top = occ.addCylinder(x0, 0, BORE_HEIGHT, UPRIGHT_THICKNESS, 0, 0, UPRIGHT_RADIUS)
    boss_x = UPRIGHT_X - BOSS_LENGTH / 2
    boss = occ.addCylinder(boss_x, 0, BORE_HEIGHT, BOSS_LENGTH, 0, 0, BOSS_RADIUS)

    x1 = x0 + UPRIGHT_THICKNESS
    corners = [
        (x1, BASE_THICKNESS),
        (x1 + RIB_FOOT, BASE_THICKNESS),
        (x1 + RIB_FOOT, BASE_THICKNESS + RIB_TOE),
        (x1, RIB_TOP),
    ]
    points = [occ.addPoint(x, -RIB_THICKNESS / 2, z) for x, z in corners]
    lines = [occ.addLine(a, b) for a, b in zip(points, points[1:] + points[:1], strict=True)]
    outline = occ.addPlaneSurface([occ.addCurveLoop(lines)])
    rib = occ.extrude([(2, outline)], 0, RIB_THICKNESS, 0)
    rib_volume = next(entity for entity in rib if entity[0] == 3)

    whole, _ = occ.fuse([(3, base)], [(3, plate), (3, round_top), (3, boss), rib_volume])
    occ.synchronize()
    gmsh.model.occ.healShapes(whole, sewFaces=False, makeSolids=False)
    occ.synchronize()
    (solid,) = gmsh.model.getEntities(3)
    solid = occ.fillet([solid[1]], inner_edges(), [FILLET_RADIUS])[0]
    occ.synchronize()
    solid = occ.fillet([solid[1]], boss_edges(), [BOSS_FILLET_RADIUS])[0]

    tools = [
        (3, occ.addCylinder(sx * HOLE_X, sy * HOLE_Y, -1, 0, 0, BASE_THICKNESS + 2, HOLE_RADIUS))
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    tools.append((3, occ.addCylinder(boss_x - 1, 0, BORE_HEIGHT, BOSS_LENGTH + 2, 0, 0, BORE_RADIUS)))
    (solid, *_), _ = occ.cut([solid], tools)
    occ.synchronize()
    remove_leftovers(solid)
    return int(solid[1])


def remove_leftovers(solid: tuple[int, int]) -> None:
    """Remove construction geometry that is no part of the solid: it would be meshed and leave nodes without a cell."""
    kept = {solid}
    layer = [solid]
    for _ in range(3):
        layer = [(dim, abs(tag)) for dim, tag in gmsh.model.getBoundary(layer, combined=False, oriented=False)]
        kept.update(layer)
    for dim in (3, 2, 1, 0):
        gmsh.model.occ.remove([entity for entity in gmsh.model.occ.getEntities(dim) if entity not in kept])
    gmsh.model.occ.synchronize()


def edges_of(entities: list[tuple[int, int]]) -> list[int]:
    """Tags of all curves that bound these volumes."""
    faces = gmsh.model.getBoundary(entities, oriented=False)
    return sorted({abs(tag) for _, tag in gmsh.model.getBoundary(faces, combined=False, oriented=False)})


def box_of(dimension: int, tag: int) -> tuple[float, float, float, float, float, float]:
    """Bounding box of an entity, without the small margin that OpenCASCADE adds."""
    return tuple(round(v, 3) for v in gmsh.model.getBoundingBox(dimension, tag))


def is_vertical(tag: int) -> bool:
    """Whether a curve is a straight line along z."""
    x0, y0, z0, x1, y1, z1 = box_of(1, tag)
    return x1 - x0 < 0.01 and y1 - y0 < 0.01 and z1 - z0 > 0.01


def inner_edges() -> list[int]:
    """Curves in which two plates meet: the foot of the upright and the outline of the rib's contact."""
    x1 = UPRIGHT_X + UPRIGHT_THICKNESS / 2
    chosen = []
    for _, tag in gmsh.model.getEntities(1):
        bx0, by0, bz0, bx1, by1, bz1 = box_of(1, tag)
        half = RIB_THICKNESS / 2
        on_foot = (
            abs(bz0 - BASE_THICKNESS) < 0.02
            and abs(bz1 - BASE_THICKNESS) < 0.02
            and max(abs(by0), abs(by1)) < UPRIGHT_RADIUS + 0.1
            and bx0 > -BASE_LENGTH / 2 + 0.1
            and bx1 < x1 + RIB_FOOT + 0.1
        )
        beside_rib = (
            is_vertical(tag) and abs(bx0 - x1) < 0.02 and abs(abs(by0) - half) < 0.02 and bz0 > BASE_THICKNESS - 0.1
        )
        rib_top = (
            abs(bx0 - x1) < 0.02 and abs(bx1 - x1) < 0.02 and abs(bz0 - RIB_TOP) < 0.02 and abs(bz1 - RIB_TOP) < 0.02
        )
        if on_foot or beside_rib or rib_top:
            chosen.append(tag)
    return chosen


def boss_edges() -> list[int]:
    """Find the circles in which the boss leaves the upright."""
    chosen = []
    for _, tag in gmsh.model.getEntities(1):
        bx0, by0, bz0, bx1, by1, bz1 = box_of(1, tag)
        in_face = any(
            abs(bx0 - x) < 0.02 and abs(bx1 - x) < 0.02
            for x in (UPRIGHT_X - UPRIGHT_THICKNESS / 2, UPRIGHT_X + UPRIGHT_THICKNESS / 2)
        )
        around_bore = abs((bz0 + bz1) / 2 - BORE_HEIGHT) < 0.02 and abs(bz1 - bz0 - 2 * BOSS_RADIUS) < 0.1
        if in_face and around_bore and abs(by1 - by0 - 2 * BOSS_RADIUS) < 0.1:
            chosen.append(tag)
    return chosen


def name_groups(solid: int) -> dict[str, list[int]]:
    """Make the physical groups; returns the surface tags by name."""
    found: dict[str, list[int]] = {"bolts": [], "lug": [], "base": []}
    for _, tag in gmsh.model.getBoundary([(3, solid)], oriented=False):
        x0, y0, z0, x1, y1, z1 = box_of(2, tag)
        cx, cy, cz = (x0 + x1) / 2, (y0 + y1) / 2, (z0 + z1) / 2
        if gmsh.model.getType(2, tag) == "Cylinder":
            if abs(x1 - x0 - 2 * HOLE_RADIUS) < 0.1 and abs(abs(cx) - HOLE_X) < 0.1 and abs(abs(cy) - HOLE_Y) < 0.1:
                found["bolts"].append(tag)
            elif abs(z1 - z0 - 2 * BORE_RADIUS) < 0.1 and abs(cz - BORE_HEIGHT) < 0.1:
                found["lug"].append(tag)
        elif z1 < 0.1:
            found["base"].append(tag)
    gmsh.model.addPhysicalGroup(3, [solid], name="bracket")
    for name, tags in found.items():
        gmsh.model.addPhysicalGroup(2, tags, name=name)
    return found


def set_sizes(groups: dict[str, list[int]]) -> None:
    """Small cells at fillets, holes and bore, growing with the distance from them."""
    curved = [
        tag
        for _, tag in gmsh.model.getEntities(2)
        if gmsh.model.getType(2, tag) in ("Torus", "BSpline surface", "Surface of Revolution")
        or (gmsh.model.getType(2, tag) == "Cylinder" and min_extent(tag) < FILLET_RADIUS + 0.5)
    ]
    fields = []
    for tags, size in ((groups["bolts"], SIZE_HOLE), (groups["lug"], SIZE_BORE), (curved, SIZE_FILLET)):
        distance = gmsh.model.mesh.field.add("Distance")
        gmsh.model.mesh.field.setNumbers(distance, "SurfacesList", tags)
        gmsh.model.mesh.field.setNumber(distance, "Sampling", 40)
        threshold = gmsh.model.mesh.field.add("Threshold")
        for key, value in (
            ("InField", distance),
            ("SizeMin", size),
            ("SizeMax", SIZE_FAR),
            ("DistMin", 1.0),
            ("DistMax", 16.0),
        ):
            gmsh.model.mesh.field.setNumber(threshold, key, value)
        fields.append(threshold)
    smallest = gmsh.model.mesh.field.add("Min")
    gmsh.model.mesh.field.setNumbers(smallest, "FieldsList", fields)
    gmsh.model.mesh.field.setAsBackgroundMesh(smallest)
    for option in ("MeshSizeExtendFromBoundary", "MeshSizeFromPoints", "MeshSizeFromCurvature"):
        gmsh.option.setNumber(f"Mesh.{option}", 0)


def min_extent(tag: int) -> float:
    """Smallest side of the bounding box of a surface."""
    x0, y0, z0, x1, y1, z1 = box_of(2, tag)
    return min(x1 - x0, y1 - y0, z1 - z0)


def main(path: str) -> None:
    """Build, mesh, check and write."""
    gmsh.initialize()
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.option.setNumber("General.NumThreads", 1)  # the same mesh each time
    solid = build_solid()
    groups = name_groups(solid)
    counts = {name: len(tags) for name, tags in groups.items()}
    if counts["bolts"] < 4 or counts["lug"] < 1 or counts["base"] != 1:
        raise SystemExit(f"the surfaces were not all found: {counts}")
    set_sizes(groups)
    gmsh.option.setNumber("Mesh.Algorithm3D", 1)
    gmsh.model.mesh.generate(3)
    gmsh.model.mesh.optimize("Netgen")
    gmsh.option.setNumber("Mesh.SecondOrderLinear", 0)
    gmsh.model.mesh.setOrder(2)
    gmsh.model.mesh.optimize("HighOrderElastic")
    gmsh.model.mesh.optimize("HighOrder")

    _, tags, connectivity = gmsh.model.mesh.getElements(3)
    quality = gmsh.model.mesh.getElementQualities(tags[0], "minSICN")
    jacobian = gmsh.model.mesh.getElementQualities(tags[0], "minSJ")
    nodes = len(gmsh.model.mesh.getNodes()[0])
    if nodes != len(set(connectivity[0])):
        raise SystemExit("there are nodes without a cell")
    volume = gmsh.model.occ.getMass(3, solid)
    print(f"{nodes} nodes, {3 * nodes} degrees of freedom, {len(tags[0])} tetrahedra, volume {volume:.1f} mm^3")
    print(f"smallest signed inverse condition number {min(quality):.3f}, smallest scaled Jacobian {min(jacobian):.3f}")
    if not math.isfinite(min(jacobian)) or min(jacobian) < 0.15:
        raise SystemExit("the mesh has cells of bad quality")
    gmsh.option.setNumber("Mesh.MshFileVersion", 4.1)
    gmsh.option.setNumber("Mesh.Binary", 1)
    gmsh.option.setNumber("Mesh.SaveAll", 0)
    gmsh.write(path)
    gmsh.finalize()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "bracket.msh")
