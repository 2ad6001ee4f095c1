"""p-multigrid: smoothing on the quadratic level, the rest left to a solver of the linear level.

One application is a symmetric V-cycle: Chebyshev smoothing with the block diagonal as inner preconditioner, correction
from the linear level, the same smoothing again. Smoothing is in single precision: it only prepares the next iterate of
a conjugate gradient iteration in double precision.

Sources: Adams, Brezina, Hu, Tuminaro, "Parallel multigrid smoothing: polynomial versus Gauss-Seidel", JCP 188, 2003;
Saad, "Iterative methods for sparse linear systems", 2nd ed., algorithm 12.1 (Chebyshev) and section 6.7.3 (Lanczos from
conjugate gradients); Helenbrook, Mavriplis, Atkins, "Analysis of p-multigrid for continuous and discontinuous finite
element discretizations", AIAA 2003-3989.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from dougong.messages import SolveError
from dougong.solver.kernels import Smoother
from dougong.solver.linalg.coarse import Interpolation, LinearLevel
from dougong.solver.parallel.partition import Part

Array = NDArray[np.float64]
Single = NDArray[np.float32]

#: Chebyshev steps before and after the correction.
STEPS = 2
#: The part of the spectrum that is smoothed, as fractions of the largest eigenvalue.
_LOWER, _UPPER = 0.15, 1.1
_LANCZOS_STEPS = 10


class PMultigrid:
    """A symmetric V-cycle for the quadratic level.

    Parameters
    ----------
    part
        The part whose owned nodes are the rows.
    smoother
        The operator, and how it is smoothed.
    level
        The linear level.
    solve_linear
        Solves on the linear level, divided by the scale of the smoother: values at the owned corner nodes, shape
        (n_corners nc,), to the same.
    """

    def __init__(
        self, part: Part, smoother: Smoother, level: LinearLevel, solve_linear: Callable[[Array], Array]
    ) -> None:
        self._part, self._smoother, self._solve_linear = part, smoother, solve_linear
        self._nc = smoother.nc
        self._interpolation = Interpolation(part, level.constraints)
        unknowns = level.owned[:, None] * self._nc + np.arange(self._nc)
        self._corners = unknowns.ravel()
        self.largest_eigenvalue = self._largest_eigenvalue()
        self._x, self._y = smoother.vector(), smoother.vector()
        self._p = np.zeros(part.n_owned * self._nc, dtype=np.float32)

    def apply(self, residual: Array, out: Array) -> None:
        """One V-cycle: an approximate solution of A out = residual, both of owned unknowns. Collective."""
        scale = float(self._part.comm.max(np.abs(residual).max(initial=0.0)))
        if scale == 0.0 or not np.isfinite(scale):
            out[:] = residual
            return
        b = (residual / scale).astype(np.float32)
        x, y = self._x, self._y
        coefficients = list(_chebyshev(_LOWER * self.largest_eigenvalue, _UPPER * self.largest_eigenvalue, STEPS))
        # Both levels are divided by one number. From a zero start the first step needs no product.
        self._smoother.start(b, coefficients[0][0], self._p, x)
        for alpha, beta in coefficients[1:]:
            x, y = self._smooth(b, x, y, alpha, beta)

        self._update(x)
        fine = self._interpolation.restrict(self._smoother.residual(b, x).reshape(-1, self._nc))
        self._part.halo.collect(fine)
        coarse = self._solve_linear(fine.reshape(-1)[self._corners].astype(np.float64))
        local = np.zeros(self._part.n_local * self._nc, dtype=np.float32)
        local[self._corners] = coarse
        self._update(local)
        x[: b.size] += self._interpolation.prolong(local.reshape(-1, self._nc)).reshape(-1)

        for alpha, beta in coefficients:
            x, y = self._smooth(b, x, y, alpha, beta)
        out[:] = x[: b.size]
        out *= scale / self._smoother.scale

    def _smooth(self, b: Single, x: Single, y: Single, alpha: float, beta: float) -> tuple[Single, Single]:
        self._update(x)
        self._smoother.step(b, x, alpha, beta, self._p, y)
        return y, x

    def _update(self, x: Single) -> None:
        self._part.halo.update(x.reshape(-1, self._nc))

    def _largest_eigenvalue(self) -> float:
        """Largest eigenvalue of D^-1 A by some Lanczos steps, from a start that does not depend on the parts."""
        part, smoother, nc = self._part, self._smoother, self._nc
        key = part.nodes[: part.n_owned, None] * nc + np.arange(nc)
        r = ((key * 2654435761) % 4294967296 / 4294967296.0 - 0.5).ravel()

        def precondition(v: Array) -> Array:
            return smoother.jacobi(v.astype(np.float32)).astype(np.float64)

        def dot(a: Array, b: Array) -> float:
            return float(part.comm.sum(float(a @ b)))

        # Single precision is enough for two digits of an eigenvalue.
        x, zero = smoother.vector(), np.zeros(r.size, dtype=np.float32)
        z = precondition(r)
        p, rho = z.copy(), dot(r, z)
        alphas: list[float] = []
        betas: list[float] = []
        for _ in range(_LANCZOS_STEPS):
            x[: r.size] = p
            self._part.halo.update(x.reshape(-1, nc))
            Ap = -smoother.residual(zero, x).astype(np.float64)
            alpha = rho / dot(p, Ap)
            r -= alpha * Ap
            z = precondition(r)
            rho, old = dot(r, z), rho
            alphas.append(alpha)
            betas.append(rho / old)
            if rho <= 1e-24 * old:
                break
            p = z + betas[-1] * p
        return _largest_ritz_value(alphas, betas)


def _largest_ritz_value(alphas: list[float], betas: list[float]) -> float:
    """Largest eigenvalue of the Lanczos matrix that conjugate gradients build (Saad, section 6.7.3)."""
    n = len(alphas)
    T = np.zeros((n, n))
    for k in range(n):
        T[k, k] = 1 / alphas[k] + (betas[k - 1] / alphas[k - 1] if k else 0.0)
        if k + 1 < n:
            T[k, k + 1] = T[k + 1, k] = np.sqrt(betas[k]) / alphas[k]
    if not np.isfinite(T).all():  # numbers of the model beyond single precision
        raise SolveError("NON_FINITE", solver="p-multigrid")
    return float(np.linalg.eigvalsh(T)[-1])


def _chebyshev(low: float, high: float, steps: int) -> Iterator[tuple[float, float]]:
    """Coefficients alpha, beta of p = beta p + alpha z, x = x + p (Saad, algorithm 12.1)."""
    centre, half = (high + low) / 2, (high - low) / 2
    sigma = centre / half
    rho = 1 / sigma
    yield 1 / centre, 0.0
    for _ in range(steps - 1):
        new = 1 / (2 * sigma - rho)
        yield 2 * new / half, new * rho
        rho = new
