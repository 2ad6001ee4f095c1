"""Fused kernels: element matrices computed and added straight into a block sparse matrix, in compiled C.

An acceleration, never a need: where they are not built (:func:`available` is False) the forms of scikit-fem serve, and
tests hold both to the same numbers. Build them once with ``python -m dougong.solver.kernels.build``.

    block = cell_block(points, geometry, geometry_gradients, field, gradients, weights)
    pattern = block_pattern([block.field], n_rows, n_nodes)
    values = np.zeros((pattern.n_blocks, 3, 3))
    assemble(elasticity(block, matrices, index), pattern, values, constraints=constraints, rhs=rhs)
"""

from dougong.solver.kernels.cells import CellBlock, cell_block
from dougong.solver.kernels.evaluate import (
    apply,
    diagonal_blocks,
    gradients_at_points,
    internal_force,
    measures,
)
from dougong.solver.kernels.forms import Form, diffusion, diffusion_tangents, elasticity, elasticity_tangents, mass
from dougong.solver.kernels.loader import KernelError, available, library
from dougong.solver.kernels.matrix import Constraints, Pattern, assemble, block_pattern
from dougong.solver.kernels.product import ConstrainedOperator, Product, power_of_two
from dougong.solver.kernels.smoother import Smoother

__all__ = [
    "CellBlock",
    "ConstrainedOperator",
    "Constraints",
    "Form",
    "KernelError",
    "Pattern",
    "Product",
    "Smoother",
    "apply",
    "assemble",
    "available",
    "block_pattern",
    "cell_block",
    "diagonal_blocks",
    "diffusion",
    "diffusion_tangents",
    "elasticity",
    "elasticity_tangents",
    "gradients_at_points",
    "internal_force",
    "library",
    "mass",
    "measures",
    "power_of_two",
]
