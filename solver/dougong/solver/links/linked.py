"""The reduction u = T q + g of a model with links: conditions first, then the equations in what they leave free.

Each node that a link touches has coordinates in an orthonormal basis of free and of prescribed directions. Written in
them, an equation has coefficients for what is free, which it may be solved for, and for what is prescribed, which is
known for each loading. Solved for one coordinate each (`links.eliminate`) the equations leave coordinates that
depend on others; what is left is independent. Every rank does this for all equations alike, and takes its own rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from dougong.messages import notice, violation
from dougong.solver.conditions import ConstraintSet
from dougong.solver.links.eliminate import Elimination, eliminate
from dougong.solver.links.links import Links
from dougong.solver.parallel.partition import Part
from dougong.solver.reduction import Reduction, node_bases
from dougong.v1 import job_pb2, mesh_pb2

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Dependent equations agree if their values do to this part of the largest value.
_AGREE = 1e-6
#: Equations named when they depend on each other.
_NAMED = 6


@dataclass(frozen=True)
class LinkedReduction(Reduction):
    """A reduction with links. Loadings differ in what they prescribe.

    Attributes
    ----------
    links
        The links.
    offsets
        shape (n_owned, nc) of each loading: g.
    point_transfer
        shape (n_point_unknowns, n_total), CSR: what independent unknowns make of the unknowns of points; on every rank.
    point_offsets
        shape (n_loadings, n_point_unknowns).
    springs
        shape (n_springs, n_total), CSR: the springs' forms in independent unknowns; on every rank.
    spring_offsets
        shape (n_loadings, n_springs): their lengths where all independent unknowns are zero.
    masses
        shape (n_masses, n_total), CSR: the forms of masses at points in independent unknowns.
    nodes
        shape (m,), int64: stored nodes that links touch, ascending.
    elimination
        The equations, solved; columns are coordinates of the nodes and points that links touch.
    basis
        shape (m nc + n_point_unknowns, coordinates), CSR: unknowns of those from their coordinates.
    values
        shape (n_loadings, equations of the elimination): right-hand side of each.
    n_free
        So many of the coordinates come first, and are not prescribed.
    own_points
        shape (k,), int64: which unknowns of points are independent unknowns of this rank.
    point_rows
        The first of these among those of this rank.
    unused
        shape (n,): which of this rank's numbers stand for nothing.
    blocks
        As asked for.
    held_points
        shape (n_point_unknowns,): which of them are prescribed.
    violations, notices
        Equations that contradict, and those that say nothing new.
    """

    links: Links
    offsets: tuple[Array, ...]
    point_transfer: sparse.csr_matrix
    point_offsets: Array
    springs: sparse.csr_matrix
    spring_offsets: Array
    masses: sparse.csr_matrix
    nodes: Ints
    elimination: Elimination
    basis: sparse.csr_matrix
    values: Array
    n_free: int
    own_points: Ints
    held_points: NDArray[np.bool_]
    point_rows: int
    unused: NDArray[np.bool_]
    blocks: bool = False
    violations: tuple[job_pb2.Violation, ...] = ()
    notices: tuple[mesh_pb2.Notice, ...] = ()

    @property
    def in_blocks(self) -> bool:
        """See `Reduction`."""
        return self.blocks


@dataclass(frozen=True)
class _Touched:
    """Nodes that links touch, and what conditions make of them: the same on every rank.

    Attributes
    ----------
    nodes
        shape (m,): stored numbers.
    directions
        shape (m, nc, nc): basis at each.
    free
        shape (m,): how many of its directions are free.
    held
        shape (n_loadings, m, nc): prescribed coordinates.
    """

    nodes: Ints
    directions: Array
    free: Ints
    held: Array


def linked_reduction(
    part: Part,
    constraints: ConstraintSet,
    prescribed: list[Array],
    links: Links,
    motions: Array,
    blocks: bool = False,
) -> LinkedReduction:
    """The reduction by conditions and links. Collective.

    Parameters
    ----------
    part, constraints
        The part and its conditions.
    prescribed
        For each loading the values of the constrained nodes, shape (m, nc).
    links
        The links of the step.
    motions
        shape (n_loadings, n_point_unknowns): prescribed unknowns of points; not a number where they are free.
    blocks
        Whether each node keeps as many numbers as it has unknowns, some of them for nothing, so that a reduced matrix
        has blocks of nodes, of which multigrid is made.
    """
    nc = constraints.projectors.shape[1]
    touched = _touched(part, constraints, prescribed, links)
    columns = _Columns.of(touched, motions)
    C = _in_coordinates(links.equations.matrix, touched, links, columns)
    solved = eliminate(C, columns.n_free, columns.preferred(links, touched))
    values = (solved.combination @ links.equations.number) - (solved.rows[:, columns.n_free :] @ columns.held.T).T
    wrong, told = _dependent(links, solved, C, columns)

    # Numbers of the independent coordinates: of each rank those of its own nodes, on the first also those of points.
    directions, free = node_bases(constraints, part.n_owned)
    start = np.concatenate([[0], np.cumsum(free)]).astype(np.int64)
    independent = np.ones(int(start[-1]), dtype=bool)
    local, here = part.local_nodes(touched.nodes)
    mine = np.flatnonzero(here)[local < part.n_owned]  # positions among the touched
    local = local[local < part.n_owned]
    eliminated = np.zeros(columns.total, dtype=bool)
    eliminated[solved.pivots] = True
    position = start[local][:, None] + np.arange(nc)
    is_free = np.arange(nc) < free[local][:, None]
    independent[position[is_free]] = ~eliminated[columns.of_node[mine][is_free]]
    node, direction = (x[independent] for x in np.nonzero(np.arange(nc) < free[:, None]))
    which_points = np.flatnonzero((columns.of_point < columns.n_free) & ~eliminated[columns.of_point])
    free_points = columns.of_point[which_points]
    n_points = len(free_points) if part.comm.rank == 0 else 0
    # With blocks each node keeps a number for each of its unknowns, and points have as many as fill blocks.
    place = node * nc + direction if blocks else np.arange(len(node))
    n_nodes = part.n_owned * nc if blocks else len(node)
    n = n_nodes + (-(-n_points // nc) * nc if blocks else n_points)
    unused = np.ones(n, dtype=bool)
    unused[place] = unused[n_nodes : n_nodes + n_points] = False
    first, total = part.comm.offset(n), int(part.comm.sum(n))
    own = np.full(len(independent), -1, dtype=np.int64)
    own[independent] = first + place
    number = np.full(columns.n_free, -1, dtype=np.int64)
    found = part.comm.gather(
        (columns.of_node[mine][is_free], own[position[is_free]], first + n_nodes if part.comm.rank == 0 else -1)
    )
    for where, numbers, _ in found:
        number[where] = numbers
    number[free_points] = found[0][2] + np.arange(len(free_points))

    # What each coordinate of the touched is made of, and the unknowns of nodes and points from that.
    F, offset = _made_of(solved, columns, values, number, total)
    basis = columns.basis(touched)
    U, g = (basis @ F).tocsr(), (basis @ offset.T).T  # (m nc + points, total), (n_loadings, m nc + points)
    transfer = _transfer(part, directions, free, own, local, U, mine, total)
    offsets = []
    for k, values_of_loading in enumerate(prescribed):
        at = np.zeros((part.n_owned, nc))
        held_here = constraints.nodes < part.n_owned
        at[constraints.nodes[held_here]] = values_of_loading[held_here]
        at[local] = g[k, : len(touched.nodes) * nc].reshape(-1, nc)[mine]
        offsets.append(at)
    coordinates = _coordinates(directions, node, direction, place, n)
    S = restricted(links.springs.matrix, touched.nodes, links)
    return LinkedReduction(
        part=part,
        transfer=transfer,
        offset=offsets[0],
        coordinates=coordinates,
        first=first,
        n_total=total,
        links=links,
        offsets=tuple(offsets),
        point_transfer=U[len(touched.nodes) * nc :],
        point_offsets=g[:, len(touched.nodes) * nc :],
        springs=(S @ U).tocsr(),
        spring_offsets=(S @ g.T).T,
        masses=(restricted(links.masses.matrix, touched.nodes, links) @ U).tocsr(),
        nodes=touched.nodes,
        elimination=solved,
        basis=basis,
        values=values,
        n_free=columns.n_free,
        own_points=which_points[:n_points],
        held_points=columns.of_point >= columns.n_free,
        point_rows=n_nodes,
        unused=unused,
        blocks=blocks,
        violations=tuple(wrong),
        notices=tuple(told),
    )


def _touched(part: Part, constraints: ConstraintSet, prescribed: list[Array], links: Links) -> _Touched:
    """Gather what is known of the nodes that links touch. Collective."""
    unknowns, nc = links.unknowns, links.unknowns.components
    used = np.concatenate([rows.matrix.indices for rows in (links.equations, links.springs, links.masses)])
    nodes = np.unique(used[used < unknowns.of_nodes].astype(np.int64) // nc)
    local, here = part.local_nodes(nodes)
    owned = local < part.n_owned
    which, local = np.flatnonzero(here)[owned], local[owned]
    directions, free = node_bases(constraints, part.n_owned)
    at = np.zeros((len(prescribed), part.n_owned, nc))
    mine = constraints.nodes < part.n_owned
    for k, values in enumerate(prescribed):
        at[k, constraints.nodes[mine]] = values[mine]
    held = np.einsum("kmi,mij->kmj", at[:, local], directions[local])
    every = part.comm.gather((which, directions[local], free[local], held))
    out = _Touched(
        nodes,
        np.empty((len(nodes), nc, nc)),
        np.empty(len(nodes), dtype=np.int64),
        np.empty((len(prescribed), len(nodes), nc)),
    )
    for which, d, f, h in every:
        out.directions[which], out.free[which], out.held[:, which] = d, f, h
    return out


@dataclass(frozen=True)
class _Columns:
    """Order of the coordinates of touched nodes and points: free ones first.

    Attributes
    ----------
    of_node
        shape (m, nc): column of each coordinate of a node.
    of_point
        shape (n_point_unknowns,).
    n_free, total
        How many.
    held
        shape (n_loadings, total - n_free): values of the prescribed ones.
    """

    of_node: Ints
    of_point: Ints
    n_free: int
    total: int
    held: Array

    @classmethod
    def of(cls, touched: _Touched, motions: Array) -> _Columns:
        m, nc = touched.directions.shape[:2]
        free = np.concatenate([(np.arange(nc) < touched.free[:, None]).ravel(), np.isnan(motions).all(axis=0)])
        order = np.argsort(~free, kind="stable")
        column = np.empty(len(free), dtype=np.int64)
        column[order] = np.arange(len(free))
        n_free = int(free.sum())
        values = np.concatenate([touched.held.reshape(len(motions), -1), np.nan_to_num(motions)], axis=1)
        return cls(column[: m * nc].reshape(m, nc), column[m * nc :], n_free, len(free), values[:, order[n_free:]])

    def basis(self, touched: _Touched) -> sparse.csr_matrix:
        """Unknowns from coordinates."""
        m, nc = self.of_node.shape
        rows = np.repeat(np.arange(m * nc), nc)
        columns = np.repeat(self.of_node, nc, axis=0).ravel()
        values = touched.directions.ravel()
        n = len(self.of_point)
        rows = np.concatenate([rows, m * nc + np.arange(n)])
        columns, values = np.concatenate([columns, self.of_point]), np.concatenate([values, np.ones(n)])
        kept = values != 0
        return sparse.csr_matrix((values[kept], (rows[kept], columns[kept])), shape=(m * nc + n, self.total))

    def preferred(self, links: Links, touched: _Touched) -> Ints:
        """For each equation the coordinate that is most of the unknown it is best solved for."""
        wanted, nc = links.equations.preferred, links.unknowns.components
        out = np.full(len(wanted), -1, dtype=np.int64)
        of_point = wanted >= links.unknowns.of_nodes
        out[of_point] = self.of_point[wanted[of_point] - links.unknowns.of_nodes]
        of_node = (wanted >= 0) & ~of_point
        node = np.searchsorted(touched.nodes, wanted[of_node] // nc)
        share = np.abs(touched.directions[node, wanted[of_node] % nc])
        out[of_node] = self.of_node[node, share.argmax(axis=1)]
        return out


def restricted(matrix: sparse.csr_matrix, nodes: Ints, links: Links) -> sparse.csr_matrix:
    """Rows with columns of the unknowns of the touched nodes, and of points, alone."""
    nc, n = links.unknowns.components, links.unknowns.points
    m = len(nodes)
    column = matrix.indices.astype(np.int64)
    of_node = column < links.unknowns.of_nodes
    place = np.where(of_node, np.searchsorted(nodes, column // nc) * nc + column % nc, 0)
    place[~of_node] = m * nc + column[~of_node] - links.unknowns.of_nodes
    return sparse.csr_matrix((matrix.data, place, matrix.indptr), shape=(matrix.shape[0], m * nc + n))


def _in_coordinates(matrix: sparse.csr_matrix, touched: _Touched, links: Links, columns: _Columns) -> sparse.csr_matrix:
    found = (restricted(matrix, touched.nodes, links) @ columns.basis(touched)).tocsr()
    found.eliminate_zeros()
    return found


def _made_of(
    solved: Elimination, columns: _Columns, values: Array, number: Ints, total: int
) -> tuple[sparse.csr_matrix, Array]:
    """What each coordinate is in independent unknowns, shape (coordinates, total), and what is added to it."""
    free = np.arange(columns.n_free)
    there = number >= 0
    there[solved.pivots] = False
    masters = solved.rows[:, : columns.n_free].tocoo()
    away = masters.col != solved.pivots[masters.row]
    rows = np.concatenate([free[there], solved.pivots[masters.row[away]]])
    numbers = np.concatenate([number[there], number[masters.col[away]]])
    data = np.concatenate([np.ones(int(there.sum())), -masters.data[away]])
    F = sparse.csr_matrix((data, (rows, numbers)), shape=(columns.total, total))
    offset = np.zeros((len(values), columns.total))
    offset[:, columns.n_free :] = columns.held
    offset[:, solved.pivots] = values
    return F, offset


def _transfer(
    part: Part,
    directions: Array,
    free: Ints,
    own: Ints,
    local: NDArray[np.integer],
    U: sparse.csr_matrix,
    mine: Ints,
    total: int,
) -> sparse.csr_matrix:
    """T: the bases of nodes that no link touches, and rows of U for the others."""
    n, nc = directions.shape[:2]
    untouched = np.ones(n, dtype=bool)
    untouched[local] = False
    node, column = np.nonzero((np.arange(nc) < free[:, None]) & untouched[:, None])
    start = np.concatenate([[0], np.cumsum(free)]).astype(np.int64)
    values = directions[node, :, column]
    rows = node[:, None] * nc + np.arange(nc)
    numbers = np.broadcast_to(own[start[node] + column][:, None], rows.shape)
    kept = values != 0
    theirs = U[(mine[:, None] * nc + np.arange(nc)).ravel()].tocoo()
    at = (local.astype(np.int64)[:, None] * nc + np.arange(nc)).ravel()
    data = np.concatenate([values[kept], theirs.data])
    where = np.concatenate([rows[kept], at[theirs.row]]), np.concatenate([numbers[kept], theirs.col.astype(np.int64)])
    return sparse.csr_matrix((data, where), shape=(n * nc, total))


def _coordinates(directions: Array, node: Ints, direction: Ints, place: Ints, n: int) -> sparse.csr_matrix:
    """S: each independent coordinate of a node from the unknowns of that node; nothing for those of points."""
    nc = directions.shape[1]
    values = directions[node, :, direction]
    columns = node[:, None] * nc + np.arange(nc)
    rows = np.broadcast_to(place[:, None], columns.shape)
    kept = values != 0
    return sparse.csr_matrix((values[kept], (rows[kept], columns[kept])), shape=(n, len(directions) * nc))


def _dependent(
    links: Links, solved: Elimination, C: sparse.csr_matrix, columns: _Columns
) -> tuple[list[job_pb2.Violation], list[mesh_pb2.Notice]]:
    """What is to be said of combinations of equations in which nothing free is left."""
    if not solved.redundant.shape[0]:
        return [], []
    b = links.equations.number
    given = (C[:, columns.n_free :] @ columns.held.T).T  # (n_loadings, n_equations)
    left = (solved.redundant @ (b - given).T).T
    size = max(float(np.abs(b).max(initial=0.0)), float(np.abs(given).max(initial=0.0)))
    bad = (np.abs(left) > _AGREE * size).any(axis=0)
    wrong: dict[tuple[str, ...], int] = {}
    agreeing: dict[tuple[str, ...], int] = {}
    for k in range(solved.redundant.shape[0]):
        row = solved.redundant[k]
        some = row.indices[np.abs(row.data) > 1e-9 * np.abs(row.data).max()]
        names = tuple(links.sources[s] for s in np.unique(links.equations.source[some]))
        of = wrong if bad[k] else agreeing
        of[names] = of.get(names, 0) + 1
    found = []
    for names, count in list(wrong.items())[:20]:
        reason = "EQUATIONS_CONTRADICT" if len(names) > 1 else "EQUATION_CONTRADICTS_CONDITIONS"
        found.append(violation(reason, names[-1], equations=_listed(names), count=count))
    told = [
        notice("EQUATIONS_REDUNDANT", equations=_listed(names), count=n) for names, n in list(agreeing.items())[:20]
    ]
    return found, told


def _listed(names: tuple[str, ...]) -> str:
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f", ... (+{rest})" if rest > 0 else "")
