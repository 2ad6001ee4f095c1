/* The vector part of a step of Chebyshev smoothing, in single precision and in one pass; inverses of diagonal blocks. */
#ifndef DOUGONG_SMOOTH_H
#define DOUGONG_SMOOTH_H

#include "simd.h"

/* p = beta p + alpha D^-1 (b - y), out = x + p, with y = A x; `first`: x, y and the old p are zero and not read. */
INLINE void smooth_nodes(int64_t n, const float *inverse, const float *b, const float *y, const float *x, float alpha,
                         float beta, float *p, float *out, const int nc, const int first)
{
    for (int64_t node = 0; node < n; node++) {
        const float *d = inverse + nc * nc * node;
        float r[3];
        for (int c = 0; c < nc; c++) r[c] = b[nc * node + c] - (first ? 0.0f : y[nc * node + c]);
        for (int c = 0; c < nc; c++) {
            float z = 0.0f;
            for (int j = 0; j < nc; j++) z += d[nc * c + j] * r[j];
            p[nc * node + c] = first ? alpha * z : beta * p[nc * node + c] + alpha * z;
            out[nc * node + c] = first ? p[nc * node + c] : x[nc * node + c] + p[nc * node + c];
        }
    }
}

/* One step; x and y may be NULL: they and the old p are zero. */
static int smooth(int64_t n, int64_t nc, const float *inverse, const float *b, const float *y, const float *x,
                  double alpha, double beta, float *p, float *out)
{
    const float s = (float)alpha, t = (float)beta;
    if (nc < 1 || nc > 3) return DG_BAD_KIND;
    if (nc == 1 && y) smooth_nodes(n, inverse, b, y, x, s, t, p, out, 1, 0);
    else if (nc == 1) smooth_nodes(n, inverse, b, y, x, s, t, p, out, 1, 1);
    else if (nc == 2 && y) smooth_nodes(n, inverse, b, y, x, s, t, p, out, 2, 0);
    else if (nc == 2) smooth_nodes(n, inverse, b, y, x, s, t, p, out, 2, 1);
    else if (y) smooth_nodes(n, inverse, b, y, x, s, t, p, out, 3, 0);
    else smooth_nodes(n, inverse, b, y, x, s, t, p, out, 3, 1);
    return DG_OK;
}

/* Inverses of n symmetric or other small matrices, by cofactors. */
static int invert_blocks(int64_t n, int64_t nc, const double *blocks, float *inverse)
{
    if (nc < 1 || nc > 3) return DG_BAD_KIND;
    for (int64_t node = 0; node < n; node++, blocks += nc * nc, inverse += nc * nc) {
        const double *m = blocks;
        if (nc == 1) {
            inverse[0] = (float)(1.0 / m[0]);
        } else if (nc == 2) {
            const double r = 1.0 / (m[0] * m[3] - m[1] * m[2]);
            const double found[4] = {m[3] * r, -m[1] * r, -m[2] * r, m[0] * r};
            for (int i = 0; i < 4; i++) inverse[i] = (float)found[i];
        } else {
            double cofactor[9];
            for (int i = 0; i < 3; i++)
                for (int j = 0; j < 3; j++) {
                    const int i1 = (i + 1) % 3, i2 = (i + 2) % 3, j1 = (j + 1) % 3, j2 = (j + 2) % 3;
                    cofactor[3 * j + i] = m[3 * i1 + j1] * m[3 * i2 + j2] - m[3 * i1 + j2] * m[3 * i2 + j1];
                }
            const double r = 1.0 / (m[0] * cofactor[0] + m[1] * cofactor[3] + m[2] * cofactor[6]);
            for (int i = 0; i < 9; i++) inverse[i] = (float)(cofactor[i] * r);
        }
    }
    return DG_OK;
}

#endif
