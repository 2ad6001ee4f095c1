"""dolfinx with PETSc's GAMG on a body; run by the interpreter that dolfinx is installed for, not by ours.

    python peer_dolfinx.py BODY-FOLDER OUTPUT.npz     solve: mesh read to displacements written
    python peer_dolfinx.py assembly UNKNOWNS          JSON: elements per second of each cell type

The forms are compiled before they are timed: run it once to fill the cache of compiled forms.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

import basix.ufl
import dolfinx
import numpy as np
import ufl
from dolfinx import fem, la, mesh
from dolfinx.fem.petsc import apply_lifting, assemble_matrix, assemble_vector, create_matrix, set_bc
from mpi4py import MPI
from petsc4py import PETSc

#: What the authors' own demonstration of elasticity sets, and a stopping rule like ours.
SETTINGS = {
    "ksp_type": "cg",
    "ksp_rtol": 1e-8,
    "ksp_norm_type": "natural",
    "pc_type": "gamg",
    "mg_levels_ksp_type": "chebyshev",
    "mg_levels_pc_type": "jacobi",
    "mg_levels_ksp_chebyshev_esteig_steps": 10,
}

#: As a user who wants speed has his forms compiled.
JIT = {"cffi_extra_compile_args": ["-O3", "-march=native"]}

#: cell type -> dolfinx cell, family, degree
TYPES = {
    "tri3": ("triangle", "P", 1),
    "tri6": ("triangle", "P", 2),
    "quad4": ("quadrilateral", "Q", 1),
    "quad8": ("quadrilateral", "S", 2),
    "quad9": ("quadrilateral", "Q", 2),
    "tet4": ("tetrahedron", "P", 1),
    "tet10": ("tetrahedron", "P", 2),
    "hex8": ("hexahedron", "Q", 1),
    "hex20": ("hexahedron", "S", 2),
    "hex27": ("hexahedron", "Q", 2),
    "wedge6": ("prism", "P", 1),
}


def stiffness(V, young, poisson):
    """The form of linear elasticity."""
    u, v = ufl.TrialFunction(V), ufl.TestFunction(V)
    mu, lmbda = young / (2 * (1 + poisson)), young * poisson / ((1 + poisson) * (1 - 2 * poisson))
    stress = 2 * mu * ufl.sym(ufl.grad(u)) + lmbda * ufl.tr(ufl.sym(ufl.grad(u))) * ufl.Identity(V.mesh.geometry.dim)
    return ufl.inner(stress, ufl.grad(v)) * ufl.dx


def read(folder):
    """The mesh: the edges are straight, so that the corners are enough, which is faster."""
    points, cells = np.load(folder / "mesh" / "points.npy"), np.load(folder / "mesh" / "cells_0.npy")
    used, cells = np.unique(cells[:, :4], return_inverse=True)
    element = basix.ufl.element("Lagrange", "tetrahedron", 1, shape=(3,))
    return mesh.create_mesh(MPI.COMM_WORLD, cells.reshape(-1, 4).astype(np.int64), element, points[used])


def rigid_modes(V):
    """Translations and rotations, made orthonormal."""
    x = V.tabulate_dof_coordinates()
    x = x - x.mean(axis=0)
    basis = [la.vector(V.dofmap.index_map, bs=3) for _ in range(6)]
    for k in range(3):
        basis[k].array.reshape(-1, 3)[:, k] = 1.0
    for k, (i, j) in enumerate(((0, 1), (2, 0), (1, 2))):
        rotation = basis[3 + k].array.reshape(-1, 3)
        rotation[:, i], rotation[:, j] = -x[: len(rotation), j], x[: len(rotation), i]
    la.orthonormalize(basis)
    vectors = [PETSc.Vec().createWithArray(b.array[: 3 * V.dofmap.index_map.size_local], bsize=3) for b in basis]
    return PETSc.NullSpace().create(vectors=vectors), basis


def solve(folder, output):
    """From the mesh to the displacements on disk."""
    clock = {"start": time.perf_counter()}
    case = json.loads((folder / "case.json").read_text())
    body = read(folder)
    V = fem.functionspace(body, ("Lagrange", 2, (3,)))
    clock["read"] = time.perf_counter()
    weight = np.zeros(3)
    weight[case["gravity_axis"]] = -case["density"] * case["acceleration"]
    a = fem.form(stiffness(V, case["young"], case["poisson"]), jit_options=JIT)
    v = ufl.TestFunction(V)
    L = fem.form(ufl.inner(fem.Constant(body, weight), v) * ufl.dx, jit_options=JIT)
    axis, below = case["held_axis"], case["held_below"]
    held = fem.locate_dofs_geometrical(V, lambda x: x[axis] <= below)
    bc = fem.dirichletbc(np.zeros(3), held, V)
    A = create_matrix(a)
    assemble_matrix(A, a, bcs=[bc])
    A.assemble()
    b = assemble_vector(L)
    apply_lifting(b, [a], bcs=[[bc]])
    set_bc(b, [bc])
    clock["assemble"] = time.perf_counter()
    near, _kept = rigid_modes(V)
    A.setNearNullSpace(near)
    A.setOption(PETSc.Mat.Option.SPD, True)
    options = PETSc.Options()
    for name, value in SETTINGS.items():
        options[name] = value
    ksp = PETSc.KSP().create(MPI.COMM_WORLD)
    ksp.setOperators(A)
    ksp.setFromOptions()
    ksp.setUp()
    clock["setup"] = time.perf_counter()
    u = fem.Function(V)
    ksp.solve(b, u.x.petsc_vec)
    if ksp.getConvergedReason() <= 0:
        raise SystemExit(f"GAMG did not converge: {ksp.getConvergedReason()}")
    clock["solve"] = time.perf_counter()
    np.save(output.with_suffix(".x.npy"), V.tabulate_dof_coordinates())
    np.save(output.with_suffix(".u.npy"), u.x.array.reshape(-1, 3))
    clock["output"] = time.perf_counter()
    times = list(clock.items())
    stages = {name: t - times[k][1] for k, (name, t) in enumerate(times[1:])}
    sys.stdout.write(json.dumps({"iterations": ksp.getIterationNumber(), "stages": stages}) + "\n")


def box(cell, n):
    """A 4 x 1 (x 1) body."""
    kind = getattr(mesh.CellType, cell)
    if cell in ("triangle", "quadrilateral"):
        return mesh.create_rectangle(MPI.COMM_WORLD, [[0.0, 0.0], [4.0, 1.0]], [4 * n, n], kind)
    return mesh.create_box(MPI.COMM_WORLD, [[0.0, 0.0, 0.0], [4.0, 1.0, 1.0]], [4 * n, n, n], kind)


def rate(name, unknowns):
    """Elements per second: pattern and values of the matrix."""
    cell, family, degree = TYPES[name]
    n = 1
    while True:
        body = box(cell, n + 1)
        V = fem.functionspace(body, (family, degree, (body.geometry.dim,)))
        dofs = V.dofmap.index_map.size_global * V.dofmap.index_map_bs
        n += 1
        if dofs > 0.8 * unknowns:
            break
        n = max(n, int(n * (unknowns / dofs) ** (1 / body.geometry.dim)) - 2)
    a = fem.form(stiffness(V, 2.6, 0.3), jit_options=JIT)
    found = []
    for _ in range(3):
        start = time.perf_counter()
        A = create_matrix(a)
        assemble_matrix(A, a)
        A.assemble()
        found.append(time.perf_counter() - start)
        A.destroy()
    cells = body.topology.index_map(body.topology.dim).size_global
    return {"rate": cells / statistics.median(found), "dofs": dofs, "cells": cells}


def main(arguments):
    """See the module."""
    if arguments[0] == "version":
        print(f"dolfinx {dolfinx.__version__}, PETSc {'.'.join(map(str, PETSc.Sys.getVersion()))}")  # noqa: T201
    elif arguments[0] == "assembly":
        sys.stdout.write(json.dumps({name: rate(name, int(arguments[1])) for name in arguments[2:]}) + "\n")
    else:
        solve(Path(arguments[0]), Path(arguments[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
