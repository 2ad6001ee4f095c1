"""Linear algebra: systems, eigenvalues and reductions in PETSc and SLEPc, multigrid, which way of solving is chosen."""
