"""Natural modes and buckling: mass, geometric stiffness, eigenvalues."""
