/* Gradients and fluxes of a batch at one point. Included once for each type of VECTOR, with NAME(x) to tell the functions
 * apart. Tensors are row after row; dim, nc and kind are known when compiled. */

/* out[i][k] = sum_alpha h[i][alpha] inv[k][alpha], or the other way round. */
INLINE void NAME(pull)(const VECTOR *h, const VECTOR *inv, VECTOR *out, const int dim, const int nc)
{
    for (int i = 0; i < nc; i++)
        for (int k = 0; k < dim; k++) {
            out[i * dim + k] = h[i * dim] * inv[k * dim];
            for (int alpha = 1; alpha < dim; alpha++) out[i * dim + k] += h[i * dim + alpha] * inv[k * dim + alpha];
        }
}

INLINE void NAME(push)(const VECTOR *stress, const VECTOR *inv, VECTOR *out, const int dim, const int nc)
{
    for (int i = 0; i < nc; i++)
        for (int alpha = 0; alpha < dim; alpha++) {
            out[i * dim + alpha] = stress[i * dim] * inv[alpha];
            for (int k = 1; k < dim; k++) out[i * dim + alpha] += stress[i * dim + k] * inv[k * dim + alpha];
        }
}

/* stress[i][k] times wdet from the gradient e[i][k]; kind and dim are known when compiled. */
INLINE void NAME(flux)(const VECTOR *e, const VECTOR *c, VECTOR wdet, VECTOR *stress, const int dim, const int kind)
{
    if (kind == DG_DIFFUSION) {
        for (int k = 0; k < dim; k++) {
            VECTOR sum = c[k * dim] * e[0];
            for (int l = 1; l < dim; l++) sum += c[k * dim + l] * e[l];
            stress[k] = wdet * sum;
        }
        return;
    }
    if (kind == DG_ISOTROPIC) {
        VECTOR trace = e[0] + e[dim + 1];
        if (dim == 3) trace += e[8];
        trace *= c[0];
        for (int i = 0; i < dim; i++)
            for (int k = i; k < dim; k++) {
                VECTOR s = c[1] * (e[i * dim + k] + e[k * dim + i]);
                if (i == k) s += trace;
                stress[i * dim + k] = stress[k * dim + i] = wdet * s;
            }
        return;
    }
    const int s = dim == 3 ? 6 : 3;
    VECTOR strain[6];
    UNROLL
    for (int i = 0; i < dim; i++)
        UNROLL
        for (int k = i; k < dim; k++)
            strain[voigt(i, k, dim)] = i == k ? e[i * dim + i] : e[i * dim + k] + e[k * dim + i];
    UNROLL
    for (int i = 0; i < dim; i++)
        UNROLL
        for (int k = i; k < dim; k++) {
            const int row = voigt(i, k, dim);
            VECTOR sum = c[packed(row, 0, s)] * strain[0];
            UNROLL
            for (int j = 1; j < s; j++) sum += c[packed(row, j, s)] * strain[j];
            stress[i * dim + k] = stress[k * dim + i] = wdet * sum;
        }
}

#undef VECTOR
#undef NAME
