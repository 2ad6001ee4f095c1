"""Which way of solving is taken when nobody says; without PETSc, so that an estimate can say it too."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dougong.meshes.canonical import StoredMesh
from dougong.meshes.cells import CellType
from dougong.messages import render
from dougong.v1 import analysis_pb2 as pb

#: Below so many unknowns a factorisation takes no longer than multigrid, or so little longer that its certainty is
#: worth more: its answer is exact and nothing can stall. Measured by processor time with MUMPS 5.5 (milliseconds,
#: factorisation against p-multigrid or GAMG): solid tet10 of 4,000 unknowns 76 : 26, of 15,000 500 : 84; hex8 57 : 45
#: and 460 : 248; sheets of tet4 of 15,000 131 : 136, of 41,000 397 : 536; sheets of tet10 of 15,000 189 : 146; in the
#: plane, conduction with tri6, of 5,000 13 : 13, of 15,000 108 : 30 (beyond 10,000 MUMPS orders in another way). Two
#: ranks gain the factorisation nothing at these sizes.
DIRECT_BELOW = {
    "BODY_PLANE": 10_000,
    "BODY_LINEAR": 10_000,
    "BODY_QUADRATIC": 5_000,
    "BODY_THIN_LINEAR": 40_000,
    "BODY_THIN_QUADRATIC": 15_000,
}

#: Preconditioners of PETSc that are a factorisation.
_FACTORISATIONS = ("lu", "cholesky")

#: Nodes for each cell of a mesh that has no surface.
_NODES_PER_CELL = {
    "tet4": 1 / 6, "tet10": 4 / 3, "hex8": 1.0, "hex20": 4.0, "hex27": 8.0, "wedge6": 0.5, "wedge15": 2.5,
    "wedge18": 4.0, "pyramid5": 1 / 3, "pyramid13": 13 / 6, "pyramid14": 8 / 3,
}  # fmt: skip

#: A body is thin if it has so many times the surface of a cube of as many nodes: a sheet one quadratic cell thick has
#: four times as much from 10,000 nodes on, a long beam a quarter more.
_THIN = 2.5

#: PETSc options that concern how a system is solved, and nothing else; behind any of the prefixes of inner solvers.
_ALLOWED = re.compile(
    r"(?:mg_levels_|mg_levels_[0-9]{1,2}_|mg_coarse_|mg_coarse_sub_|sub_){0,3}(?:"
    r"ksp_(?:type|rtol|atol|divtol|max_it|norm_type|pc_side|gmres_restart|richardson_scale|chebyshev_[a-z_]{1,30})"
    r"|esteig_ksp_(?:type|max_it)"
    r"|pc_(?:type|jacobi_type|bjacobi_blocks|asm_overlap|asm_type|sor_(?:omega|its|lits|symmetric|forward|backward))"
    r"|pc_factor_(?:levels|fill|shift_type|shift_amount|mat_ordering_type|mat_solver_type)"
    r"|pc_gamg_[a-z_]{1,40}|pc_mg_(?:levels|type|cycle_type|distinct_smoothup)"
    r"|pc_hypre_type|pc_hypre_boomeramg_(?:(?!print)[a-z0-9_]){1,40}"
    r"|mat_mumps_icntl_(?:6|7|8|10|12|13|14|23|24|27|28|29|35|36|38)|mat_mumps_cntl_[1-7])"
)
_VALUE = re.compile(r"[A-Za-z0-9_.,+-]{0,60}")


def petsc_option_allowed(name: str, value: str) -> bool:
    """Whether a user may set an option of PETSc: it must only concern the solution of the system."""
    return bool(_ALLOWED.fullmatch(name) and _VALUE.fullmatch(value))


#: Relative reduction of the residual at which an iteration stops.
DEFAULT_TOLERANCE = 1e-8


def relative_tolerance(options: pb.SolverOptions) -> float:
    """The tolerance asked for, by its name or as PETSc's option, or the default."""
    try:
        return float(options.petsc_options["ksp_rtol"])
    except (KeyError, ValueError):  # PETSc will say what is wrong with it
        return options.relative_tolerance if options.HasField("relative_tolerance") else DEFAULT_TOLERANCE


@dataclass(frozen=True)
class Said:
    """A sentence of the catalogue about a solve."""

    reason: str
    params: dict[str, str | Said] = field(default_factory=dict)

    def text(self, language: str = "en") -> str:
        """The sentence."""
        params = {name: p.text(language) if isinstance(p, Said) else p for name, p in self.params.items()}
        return render(self.reason, params, language)


@dataclass(frozen=True)
class Size:
    """What decides between a factorisation and an iteration.

    Attributes
    ----------
    nodes, components
        Nodes, and unknowns of each.
    dim
        Number of coordinates.
    quadratic
        Whether there are quadratic cells.
    thin
        Whether most nodes are near the surface, as in sheets, thin walls and long rods.
    """

    nodes: int
    components: int
    dim: int
    quadratic: bool
    thin: bool

    @property
    def dofs(self) -> int:
        """Number of unknowns."""
        return self.nodes * self.components

    @property
    def body(self) -> str:
        """What it is called in the catalogue."""
        if self.dim < 3:
            return "BODY_PLANE"
        return f"BODY_{'THIN_' if self.thin else ''}{'QUADRATIC' if self.quadratic else 'LINEAR'}"


def size_of(stored: StoredMesh, components: int) -> Size:
    """The size of a problem on a mesh, `components` unknowns a node."""
    kinds = list(zip(stored.cell_types, stored.block_sizes, strict=True))
    quadratic = any(t.order > 1 for t, _ in kinds)
    return Size(stored.n_nodes, components, stored.dim, quadratic, _is_thin(stored.n_nodes, kinds))


def _is_thin(n: int, kinds: list[tuple[CellType, int]]) -> bool:
    """Whether the nodes that a mesh has because it has a surface are many more than those of a cube."""
    unbounded = sum(count * _NODES_PER_CELL.get(t.name, 0.0) for t, count in kinds)
    if any(t.name not in _NODES_PER_CELL for t, _ in kinds) or not unbounded:
        return False
    edge = n ** (1 / 3)
    cube = (edge / max(edge - 1, 1.0)) ** 3
    return n / unbounded - 1 >= _THIN * (cube - 1)


@dataclass(frozen=True)
class Choice:
    """Whether to factorise, and why."""

    direct: bool
    why: Said


def choose(options: pb.SolverOptions, size: Size) -> Choice:
    """Whether to factorise, and why.

    Parameters
    ----------
    options
        What the user asked for. A method or preconditioner of PETSc is an iteration, unless it is a factorisation.
    size
        Of the problem.
    """
    pc, direct = options.petsc_options.get("pc_type"), options.method == pb.SolverOptions.METHOD_DIRECT
    if pc is not None or (not direct and "ksp_type" in options.petsc_options):
        return Choice(pc in _FACTORISATIONS, Said("CHOSEN_BY_USER"))
    if options.method != pb.SolverOptions.METHOD_UNSPECIFIED:
        return Choice(direct, Said("CHOSEN_BY_USER"))
    limit = DIRECT_BELOW[size.body]
    numbers: dict[str, str | Said] = {"dofs": f"{size.dofs:,}", "limit": f"{limit:,}", "body": Said(size.body)}
    if size.dofs < limit:
        return Choice(True, Said("CHOSEN_AS_SMALL", numbers))
    return Choice(False, Said("CHOSEN_AS_LARGE", numbers))
