/* Vectors over cells: lane l of a vector belongs to cell l of a batch. GCC and Clang lower these vectors to whatever
 * the target has, so one source serves x86-64, arm64 and loong64. */
#ifndef DOUGONG_SIMD_H
#define DOUGONG_SIMD_H

#include "kernels.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef DG_WIDTH
#define DG_WIDTH 2
#endif

typedef double vd __attribute__((vector_size(8 * DG_WIDTH)));
typedef int64_t vi __attribute__((vector_size(8 * DG_WIDTH)));

enum { W = DG_WIDTH };

#define INLINE static inline __attribute__((always_inline))

/* Before a loop over components: unroll it, so that tables such as voigt() are worked out when compiled. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#elif __GNUC__ >= 8
#define UNROLL _Pragma("GCC unroll 9")
#else
#define UNROLL
#endif

INLINE vd v_set(double x)
{
    vd v;
    for (int l = 0; l < W; l++) v[l] = x;
    return v;
}

INLINE vd v_abs(vd x)
{
    vi bits = (vi)x;
    for (int l = 0; l < W; l++) bits[l] &= INT64_MAX;
    return (vd)bits;
}

/* Four doubles anywhere in memory. */
typedef double v4u __attribute__((vector_size(32), aligned(8), may_alias));

/* out[0 .. n - 1] += in[0 .. n - 1], n known when compiled. */
INLINE void add_to(double *out, const double *in, const int n)
{
    int i = 0;
    for (; i + 4 <= n; i += 4) *(v4u *)(out + i) += *(const v4u *)(in + i);
    for (; i < n; i++) out[i] += in[i];
}

#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (vi){__VA_ARGS__})
#endif

/* One step of a transposition: exchange the lanes of t[i] whose bit s is 1 with those of t[i + s] whose bit s is 0. */
#define EXCHANGE(i, s, low, high) \
    do { \
        const vd a_ = t[i], b_ = t[i + s]; \
        t[i] = SHUFFLE(a_, b_, low); \
        t[i + s] = SHUFFLE(a_, b_, high); \
    } while (0)

/* W vectors, transposed in place. */
INLINE void transpose(vd *t)
{
#if DG_WIDTH == 2
#define LOW_1 0, 2
#define HIGH_1 1, 3
    EXCHANGE(0, 1, LOW_1, HIGH_1);
#elif DG_WIDTH == 4
#define LOW_1 0, 4, 2, 6
#define HIGH_1 1, 5, 3, 7
#define LOW_2 0, 1, 4, 5
#define HIGH_2 2, 3, 6, 7
    EXCHANGE(0, 1, LOW_1, HIGH_1);
    EXCHANGE(2, 1, LOW_1, HIGH_1);
    EXCHANGE(0, 2, LOW_2, HIGH_2);
    EXCHANGE(1, 2, LOW_2, HIGH_2);
#elif DG_WIDTH == 8
#define LOW_1 0, 8, 2, 10, 4, 12, 6, 14
#define HIGH_1 1, 9, 3, 11, 5, 13, 7, 15
#define LOW_2 0, 1, 8, 9, 4, 5, 12, 13
#define HIGH_2 2, 3, 10, 11, 6, 7, 14, 15
#define LOW_4 0, 1, 2, 3, 8, 9, 10, 11
#define HIGH_4 4, 5, 6, 7, 12, 13, 14, 15
    EXCHANGE(0, 1, LOW_1, HIGH_1);
    EXCHANGE(2, 1, LOW_1, HIGH_1);
    EXCHANGE(4, 1, LOW_1, HIGH_1);
    EXCHANGE(6, 1, LOW_1, HIGH_1);
    EXCHANGE(0, 2, LOW_2, HIGH_2);
    EXCHANGE(1, 2, LOW_2, HIGH_2);
    EXCHANGE(4, 2, LOW_2, HIGH_2);
    EXCHANGE(5, 2, LOW_2, HIGH_2);
    EXCHANGE(0, 4, LOW_4, HIGH_4);
    EXCHANGE(1, 4, LOW_4, HIGH_4);
    EXCHANGE(2, 4, LOW_4, HIGH_4);
    EXCHANGE(3, 4, LOW_4, HIGH_4);
#else
#error "DG_WIDTH must be 2, 4 or 8"
#endif
}

/* Position of (i, k) in a Voigt vector xx yy zz xy yz zx, or xx yy xy. */
INLINE int voigt(int i, int k, const int dim)
{
    if (i == k) return i;
    if (dim == 2) return 2;
    return i + k == 1 ? 3 : i + k == 3 ? 4 : 5;
}

/* Position of (r, k) in the upper triangle of a symmetric matrix (s, s), row after row. */
INLINE int packed(int r, int k, const int s) { return r <= k ? r * s - r * (r - 1) / 2 + k - r : k * s - k * (k - 1) / 2 + r - k; }

#endif
