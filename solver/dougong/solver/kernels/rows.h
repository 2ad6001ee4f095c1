/* Products with block rows, and Chebyshev smoothing in one pass over them. Included by variant.c for each instruction
 * set. Blocks are 3 x 3, 2 x 2 or single numbers, row-major; single precision for smoothing halves what is read. */
#ifndef DOUGONG_ROWS_H
#define DOUGONG_ROWS_H

#include "simd.h"

typedef float v8f __attribute__((vector_size(32)));
typedef float v8u __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t v8i __attribute__((vector_size(32)));
typedef double v4d __attribute__((vector_size(32)));
typedef int64_t v4i __attribute__((vector_size(32)));

#if defined(__clang__)
#define SPREAD_3(x) __builtin_shufflevector(x, x, 0, 1, 2, 0, 1, 2, 0, 1)
#define TURN_3(x) __builtin_shufflevector(x, x, 1, 2, 0, 1)
#else
#define SPREAD_3(x) __builtin_shuffle(x, (v8i){0, 1, 2, 0, 1, 2, 0, 1})
#define TURN_3(x) __builtin_shuffle(x, (v4i){1, 2, 0, 1})
#endif

/* y = sum over the blocks of a row, single precision; x has at least 5 numbers after its last. */
INLINE void row_f3(const float *a, const int32_t *columns, int64_t n, const float *x, float *y)
{
    v8f sum = {0}, other = {0};
    float last = 0.0f, next = 0.0f;
    int64_t k = 0;
    for (; k + 2 <= n; k += 2) {
        const float *x0 = x + 3 * (int64_t)columns[k], *x1 = x + 3 * (int64_t)columns[k + 1];
        const v8f s0 = *(const v8u *)x0, s1 = *(const v8u *)x1;
        sum += *(const v8u *)(a + 9 * k) * SPREAD_3(s0);
        other += *(const v8u *)(a + 9 * k + 9) * SPREAD_3(s1);
        last += a[9 * k + 8] * x0[2];
        next += a[9 * k + 17] * x1[2];
    }
    if (k < n) {
        const float *x0 = x + 3 * (int64_t)columns[k];
        const v8f s0 = *(const v8u *)x0;
        sum += *(const v8u *)(a + 9 * k) * SPREAD_3(s0);
        last += a[9 * k + 8] * x0[2];
    }
    sum += other;
    y[0] = sum[0] + sum[1] + sum[2];
    y[1] = sum[3] + sum[4] + sum[5];
    y[2] = sum[6] + sum[7] + (last + next);
}

INLINE void row_f(const float *a, const int32_t *columns, int64_t n, const float *x, float *y, const int nc)
{
    if (nc == 3) {
        row_f3(a, columns, n, x, y);
        return;
    }
    float sum[3] = {0};
    for (int64_t k = 0; k < n; k++) {
        const float *xk = x + nc * (int64_t)columns[k];
        for (int i = 0; i < nc; i++)
            for (int j = 0; j < nc; j++) sum[i] += a[nc * nc * k + nc * i + j] * xk[j];
    }
    for (int i = 0; i < nc; i++) y[i] = sum[i];
}

/* The same in double precision; x needs no room behind it. */
INLINE void row_d3(const double *a, const int32_t *columns, int64_t n, const double *x, double *y)
{
    v4d sum = {0}, rest = {0}, sum2 = {0}, rest2 = {0};
    double last = 0.0, last2 = 0.0;
    int64_t k = 0;
    for (; k + 2 <= n; k += 2) {
        const double *p = x + 3 * (int64_t)columns[k], *q = x + 3 * (int64_t)columns[k + 1];
        const v4d p0 = {p[0], p[1], p[2], p[0]}, q0 = {q[0], q[1], q[2], q[0]};
        sum += *(const v4u *)(a + 9 * k) * p0;
        sum2 += *(const v4u *)(a + 9 * k + 9) * q0;
        rest += *(const v4u *)(a + 9 * k + 4) * TURN_3(p0);
        rest2 += *(const v4u *)(a + 9 * k + 13) * TURN_3(q0);
        last += a[9 * k + 8] * p[2];
        last2 += a[9 * k + 17] * q[2];
    }
    if (k < n) {
        const double *p = x + 3 * (int64_t)columns[k];
        const v4d p0 = {p[0], p[1], p[2], p[0]};
        sum += *(const v4u *)(a + 9 * k) * p0;
        rest += *(const v4u *)(a + 9 * k + 4) * TURN_3(p0);
        last += a[9 * k + 8] * p[2];
    }
    sum += sum2;
    rest += rest2;
    y[0] = sum[0] + sum[1] + sum[2];
    y[1] = sum[3] + rest[0] + rest[1];
    y[2] = rest[2] + rest[3] + (last + last2);
}

INLINE void row_d(const double *a, const int32_t *columns, int64_t n, const double *x, double *y, const int nc)
{
    if (nc == 3) {
        row_d3(a, columns, n, x, y);
        return;
    }
    double sum[9] = {0};
    for (int64_t k = 0; k < n; k++) {
        const double *xk = x + nc * (int64_t)columns[k], *ak = a + nc * nc * k;
        for (int i = 0; i < nc; i++)
            for (int j = 0; j < nc; j++) sum[nc * i + j] += ak[nc * i + j] * xk[j];
    }
    for (int i = 0; i < nc; i++) {
        y[i] = 0.0;
        for (int j = 0; j < nc; j++) y[i] += sum[nc * i + j];
    }
}

INLINE void multiply_rows(const dg_rows *m, const double *values, const double *x, double *y, const int nc)
{
    for (int64_t r = 0; r < m->n_rows; r++) {
        const int64_t k = m->indptr[r];
        row_d(values + nc * nc * k, m->indices + k, m->indptr[r + 1] - k, x, y + nc * r, nc);
    }
}

static int multiply(const dg_rows *m, int64_t nc, const double *values, const double *x, double *y)
{
    if (nc == 1) multiply_rows(m, values, x, y, 1);
    else if (nc == 2) multiply_rows(m, values, x, y, 2);
    else if (nc == 3) multiply_rows(m, values, x, y, 3);
    else return DG_BAD_KIND;
    return DG_OK;
}

/* r = b - A x. */
INLINE void residual_rows(const dg_rows *m, const float *values, const float *b, const float *x, float *r, const int nc)
{
    float y[3];
    for (int64_t i = 0; i < m->n_rows; i++) {
        const int64_t k = m->indptr[i];
        row_f(values + nc * nc * k, m->indices + k, m->indptr[i + 1] - k, x, y, nc);
        for (int c = 0; c < nc; c++) r[nc * i + c] = b[nc * i + c] - y[c];
    }
}

static int residual(const dg_rows *m, int64_t nc, const float *values, const float *b, const float *x, float *r)
{
    if (nc == 1) residual_rows(m, values, b, x, r, 1);
    else if (nc == 2) residual_rows(m, values, b, x, r, 2);
    else if (nc == 3) residual_rows(m, values, b, x, r, 3);
    else return DG_BAD_KIND;
    return DG_OK;
}

/* One Chebyshev step: p = beta p + alpha D^-1 (b - A x), out = x + p. */
INLINE void smooth_rows(const dg_rows *m, const float *values, const float *inverse, const float *b, const float *x,
                        float alpha, float beta, float *p, float *out, const int nc)
{
    float y[3];
    for (int64_t i = 0; i < m->n_rows; i++) {
        const int64_t k = m->indptr[i];
        const float *d = inverse + nc * nc * i;
        row_f(values + nc * nc * k, m->indices + k, m->indptr[i + 1] - k, x, y, nc);
        for (int c = 0; c < nc; c++) y[c] = b[nc * i + c] - y[c];
        for (int c = 0; c < nc; c++) {
            float z = 0.0f;
            for (int j = 0; j < nc; j++) z += d[nc * c + j] * y[j];
            p[nc * i + c] = beta * p[nc * i + c] + alpha * z;
            out[nc * i + c] = x[nc * i + c] + p[nc * i + c];
        }
    }
}

static int smooth(const dg_rows *m, int64_t nc, const float *values, const float *inverse, const float *b,
                  const float *x, double alpha, double beta, float *p, float *out)
{
    if (nc == 1) smooth_rows(m, values, inverse, b, x, (float)alpha, (float)beta, p, out, 1);
    else if (nc == 2) smooth_rows(m, values, inverse, b, x, (float)alpha, (float)beta, p, out, 2);
    else if (nc == 3) smooth_rows(m, values, inverse, b, x, (float)alpha, (float)beta, p, out, 3);
    else return DG_BAD_KIND;
    return DG_OK;
}

#endif
