"""Models of several bodies for tests of links: meshes put side by side, with the regions of each."""

from __future__ import annotations

import numpy as np

from dougong.meshes.mesh import CellBlock, Mesh, Region, RegionKind


def together(*parts: tuple[str, Mesh, tuple[float, ...]]) -> Mesh:
    """Meshes as one that share no nodes.

    Parameters
    ----------
    parts
        Prefix of the names of its regions, mesh, and by how much it is moved.
    """
    kinds = list(dict.fromkeys(b.type.name for _, mesh, _ in parts for b in mesh.blocks))
    points = np.concatenate([mesh.points + np.array(by) for _, mesh, by in parts])
    nodes = {kind: [] for kind in kinds}
    first = 0
    place: dict[tuple[int, int], int] = {}
    for k, (_, mesh, _) in enumerate(parts):
        for j, block in enumerate(mesh.blocks):
            place[k, j] = sum(len(n) for n in nodes[block.type.name])
            nodes[block.type.name].append(block.nodes + first)
        first += mesh.n_nodes
    types = {b.type.name: b.type for _, mesh, _ in parts for b in mesh.blocks}
    blocks = tuple(CellBlock(types[kind], np.concatenate(nodes[kind])) for kind in kinds)
    starts = dict(zip(kinds, np.concatenate([[0], np.cumsum([len(b) for b in blocks])]), strict=False))
    regions = []
    first = 0
    for k, (prefix, mesh, _) in enumerate(parts):
        cell = np.concatenate(
            [starts[b.type.name] + place[k, j] + np.arange(len(b)) for j, b in enumerate(mesh.blocks)]
        )
        for r in mesh.regions:
            entries = r.entries.copy()
            if r.kind == RegionKind.NODES:
                entries = entries + first
            elif r.kind == RegionKind.CELLS:
                entries = np.sort(cell[entries])
            else:
                entries[:, 0] = cell[entries[:, 0]]
                entries = entries[np.lexsort((entries[:, 1], entries[:, 0]))]
            regions.append(Region(f"{prefix}{r.name}", r.kind, entries))
        first += mesh.n_nodes
    return Mesh(points, blocks, tuple(regions))


def turned(mesh: Mesh, angle: float = 0.4) -> tuple[Mesh, np.ndarray]:
    """A mesh in space turned about two axes, and the rotation."""
    c, s = np.cos(angle), np.sin(angle)
    Q = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return Mesh(mesh.points @ Q.T, mesh.blocks, mesh.regions, mesh.node_ids), Q


def renumbered(mesh: Mesh, seed: int = 0) -> tuple[Mesh, np.ndarray]:
    """The same mesh with its nodes in another order; and where each of them went."""
    order = np.random.default_rng(seed).permutation(mesh.n_nodes)
    new = np.empty_like(order)
    new[order] = np.arange(len(order))
    blocks = tuple(CellBlock(b.type, new[b.nodes]) for b in mesh.blocks)
    regions = tuple(
        Region(r.name, r.kind, np.sort(new[r.entries]) if r.kind == RegionKind.NODES else r.entries)
        for r in mesh.regions
    )
    return Mesh(mesh.points[order], blocks, regions), new
