/* Chooses, once, the kernels for the processor this runs on. */
#include "kernels.h"

#include <stdlib.h>
#include <string.h>
#if defined(__loongarch__)
#include <sys/auxv.h>
#endif

extern const dg_kernels dg_kernels_base;
#ifdef DG_HAVE_avx2
extern const dg_kernels dg_kernels_avx2;
#endif
#ifdef DG_HAVE_avx512
extern const dg_kernels dg_kernels_avx512;
#endif
#ifdef DG_HAVE_lasx
extern const dg_kernels dg_kernels_lasx;
#endif

/* The widest set this processor runs. `wanted` (may be NULL) names one; NULL is returned when it cannot run here. */
const dg_kernels *dg_choose(const char *wanted)
{
    const dg_kernels *found[4];
    int n = 0;
#ifdef DG_HAVE_avx512
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        found[n++] = &dg_kernels_avx512;
#endif
#ifdef DG_HAVE_avx2
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found[n++] = &dg_kernels_avx2;
#endif
#ifdef DG_HAVE_lasx
    if (getauxval(AT_HWCAP) & (1UL << 5)) found[n++] = &dg_kernels_lasx; /* HWCAP_LOONGARCH_LASX */
#endif
    found[n++] = &dg_kernels_base;
    if (!wanted) return found[0];
    for (int i = 0; i < n; i++)
        if (!strcmp(found[i]->name, wanted)) return found[i];
    return NULL;
}
