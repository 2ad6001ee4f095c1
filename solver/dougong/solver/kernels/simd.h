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

/* Position of (i, k) in a Voigt vector xx yy zz xy yz zx, or xx yy xy. */
INLINE int voigt(int i, int k, const int dim)
{
    if (i == k) return i;
    if (dim == 2) return 2;
    return i + k == 1 ? 3 : i + k == 3 ? 4 : 5;
}

#endif
