"""Chebyshev smoothing in single precision, with the inverse of the diagonal blocks.

Smoothing only prepares the next iterate of an iteration in double precision; in single precision twice as many cells
are worked on at a time, and half as much is read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dougong.solver.kernels.arrays import address
from dougong.solver.kernels.loader import check_status, need_library
from dougong.solver.kernels.product import ConstrainedOperator, Product

Single = NDArray[np.float32]


class Smoother:
    """Steps of a Chebyshev iteration for an operator A with diagonal blocks D, which is another one divided by `scale`.

    Parameters
    ----------
    operator
        The operator times `scale`.
    scale
        The same on all ranks: about the size of its diagonal, so that single precision holds it whatever the units.
    """

    def __init__(self, operator: ConstrainedOperator, scale: float = 1.0) -> None:
        self.product, self.scale = Product(operator, np.float32, scale), scale
        self.nc, self._n = operator.nc, operator.n_rows
        self._kernels: Any = need_library().kernels
        self._inverse = np.empty(operator.diagonal.shape, dtype=np.float32)
        diagonal = np.ascontiguousarray(operator.diagonal / scale)
        check_status(self._kernels.invert_blocks(self._n, self.nc, address(diagonal), address(self._inverse)))
        self._Ax = self.product.vector()

    def vector(self) -> Single:
        """A zero vector of owned nodes and ghosts, shape (n_nodes nc,)."""
        return self.product.vector()

    def start(self, b: Single, alpha: float, p: Single, out: Single) -> None:
        """The first step, from x = 0: p = alpha D^-1 b, out = p."""
        self._advance(b, None, alpha, 0.0, p, out)

    def step(self, b: Single, x: Single, alpha: float, beta: float, p: Single, out: Single) -> None:
        """One step on the owned nodes: p = beta p + alpha D^-1 (b - A x), out = x + p; x and out from `vector`."""
        self.product.multiply(x, self._Ax)
        self._advance(b, x, alpha, beta, p, out)

    def _advance(self, b: Single, x: Single | None, alpha: float, beta: float, p: Single, out: Single) -> None:
        for v in (b, p):
            if v.dtype != np.float32 or v.size != self._n * self.nc or not v.flags.c_contiguous:
                raise ValueError(f"a contiguous vector of {self._n * self.nc} numbers in single precision expected")
        self.product.check(*((out,) if x is None else (x, out)))
        before = (None, None) if x is None else (address(self._Ax), address(x))
        arrays = (address(self._inverse), address(b), *before)
        check_status(self._kernels.smooth(self._n, self.nc, *arrays, alpha, beta, address(p), address(out)))

    def residual(self, b: Single, x: Single) -> Single:
        """B - A x of the owned nodes; x from `vector`."""
        self.product.multiply(x, self._Ax)
        return np.asarray(b - self._Ax[: b.size])

    def jacobi(self, b: Single) -> Single:
        """D^-1 b of the owned nodes."""
        p = np.empty_like(b)
        self.start(b, 1.0, p, self.vector())
        return p
