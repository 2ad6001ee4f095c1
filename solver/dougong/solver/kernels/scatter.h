/* Element matrices of a batch into the sparse matrix, with constraints. */
#ifndef DOUGONG_SCATTER_H
#define DOUGONG_SCATTER_H

#include "geometry.h"

/* Place of the sorted columns `key[0 .. k - 1]` in a row, by binary searches that run side by side without branches. */
static int find_columns(const int32_t *row, int64_t n, const int32_t *key, int64_t k, int32_t *place)
{
    for (int64_t b = 0; b < k; b++) place[b] = 0;
    if (n <= 0) return DG_NOT_IN_PATTERN;
    for (int32_t left = (int32_t)n; left > 1;) {
        const int32_t half = left / 2;
        for (int64_t b = 0; b < k; b++) place[b] += row[place[b] + half] <= key[b] ? half : 0;
        left -= half;
    }
    int wrong = 0;
    for (int64_t b = 0; b < k; b++) wrong |= row[place[b]] != key[b];
    return wrong ? DG_NOT_IN_PATTERN : DG_OK;
}

/* Places of all blocks of a cell. Where only columns >= row are stored, others keep place -1. */
static int find_places(work *w, const dg_target *t, const int32_t *nodes)
{
    const int64_t kf = w->c->n_field;
    for (int64_t a = 0; a < kf; a++) {
        const int32_t row = nodes[a];
        if (row >= t->n_rows) continue;
        const int64_t begin = t->indptr[row], n = t->indptr[row + 1] - begin;
        int32_t *place = w->offset + a * kf;
        if (!t->upper_only) {
            if (find_columns(t->indices + begin, n, nodes, kf, place)) return DG_NOT_IN_PATTERN;
            continue;
        }
        for (int64_t b = 0; b < kf; b++) {
            place[b] = -1;
            if (nodes[b] >= row && find_columns(t->indices + begin, n, nodes + b, 1, place + b))
                return DG_NOT_IN_PATTERN;
        }
    }
    return DG_OK;
}

/* Add lane `lane` of the batch. */
INLINE void add_lane(const work *w, const dg_target *t, const int32_t *nodes, int lane, const int nc)
{
    const int64_t kf = w->c->n_field;
    const int nb = nc * nc;
    const double *ke = (const double *)w->ke + lane;
    for (int64_t a = 0; a < kf; a++) {
        const int owned = nodes[a] < t->n_rows;
        double *row = owned ? t->values + t->indptr[nodes[a]] * nb : NULL;
        for (int64_t b = a; b < kf; b++, ke += nb * W) {
            if (owned && w->offset[a * kf + b] >= 0) {
                double *out = row + (int64_t)w->offset[a * kf + b] * nb;
                for (int i = 0; i < nb; i++) out[i] += ke[i * W];
            }
            if (b == a || nodes[b] >= t->n_rows || w->offset[b * kf + a] < 0) continue;
            double *out = t->values + (t->indptr[nodes[b]] + w->offset[b * kf + a]) * nb;
            for (int i = 0; i < nc; i++)
                for (int j = 0; j < nc; j++) out[i * nc + j] += ke[(j * nc + i) * W];
        }
    }
}

static int is_constrained(const dg_target *t, const int32_t *nodes, int64_t kf)
{
    if (!t->constraint) return 0;
    int any = 0;
    for (int64_t a = 0; a < kf; a++) any |= t->constraint[nodes[a]] >= 0;
    return any;
}

/* Blocks of one lane, both triangles, one after the other. */
static void unpack_lane(work *w, int lane, int nc)
{
    const int64_t kf = w->c->n_field;
    const double *ke = (const double *)w->ke + lane;
    for (int64_t a = 0; a < kf; a++)
        for (int64_t b = a; b < kf; b++, ke += nc * nc * W)
            for (int i = 0; i < nc; i++)
                for (int j = 0; j < nc; j++) {
                    w->block[((a * kf + b) * nc + i) * nc + j] = ke[(i * nc + j) * W];
                    w->block[((b * kf + a) * nc + j) * nc + i] = ke[(i * nc + j) * W];
                }
}

/* Add one lane under constraints:  K_ab <- P_a K_ab P_b,  rhs_a -= P_a sum_b K_ab u0_b;  and on the diagonal of a
 * constrained node s (I - P_a), rhs_a += s u0_a, with s = tr(K_aa) / nc: its blocked directions then hold u0, the
 * matrix stays symmetric positive definite, and s is of the size of the diagonal around it. */
static void add_constrained(work *w, const dg_target *t, const int32_t *nodes, int lane)
{
    const int nc = (int)w->f->n_components, nb = nc * nc;
    const int64_t kf = w->c->n_field;
    unpack_lane(w, lane, nc);
    for (int64_t a = 0; a < kf; a++) {
        if (nodes[a] >= t->n_rows) continue;
        const int32_t ca = t->constraint[nodes[a]];
        const double *pa = ca >= 0 ? t->projectors + (int64_t)ca * nb : NULL;
        double reaction[3] = {0.0, 0.0, 0.0};
        for (int64_t b = 0; b < kf; b++) {
            const double *k = w->block + (a * kf + b) * nb;
            const int32_t cb = t->constraint[nodes[b]];
            double block[9], left[9];
            if (cb >= 0)
                for (int i = 0; i < nc; i++)
                    for (int j = 0; j < nc; j++) reaction[i] += k[i * nc + j] * t->prescribed[(int64_t)cb * nc + j];
            if (!t->values || w->offset[a * kf + b] < 0) continue;
            memcpy(left, k, sizeof(double) * (size_t)nb);
            if (pa)
                for (int i = 0; i < nc; i++)
                    for (int j = 0; j < nc; j++) {
                        left[i * nc + j] = 0.0;
                        for (int n = 0; n < nc; n++) left[i * nc + j] += pa[i * nc + n] * k[n * nc + j];
                    }
            memcpy(block, left, sizeof(double) * (size_t)nb);
            if (cb >= 0) {
                const double *pb = t->projectors + (int64_t)cb * nb;
                for (int i = 0; i < nc; i++)
                    for (int j = 0; j < nc; j++) {
                        block[i * nc + j] = 0.0;
                        for (int n = 0; n < nc; n++) block[i * nc + j] += left[i * nc + n] * pb[n * nc + j];
                    }
            }
            double *out = t->values + (t->indptr[nodes[a]] + w->offset[a * kf + b]) * nb;
            for (int i = 0; i < nb; i++) out[i] += block[i];
        }
        double s = 0.0;
        if (pa) {
            const double *k = w->block + (a * kf + a) * nb;
            for (int i = 0; i < nc; i++) s += k[i * nc + i] / nc;
            if (t->values) {
                double *out = t->values + (t->indptr[nodes[a]] + w->offset[a * kf + a]) * nb;
                for (int i = 0; i < nc; i++)
                    for (int j = 0; j < nc; j++) out[i * nc + j] += s * ((i == j) - pa[i * nc + j]);
            }
        }
        if (!t->rhs) continue;
        double *rhs = t->rhs + (int64_t)nodes[a] * nc;
        for (int i = 0; i < nc; i++) {
            double projected = reaction[i];
            if (pa) {
                projected = 0.0;
                for (int n = 0; n < nc; n++) projected += pa[i * nc + n] * reaction[n];
                rhs[i] += s * t->prescribed[(int64_t)ca * nc + i];
            }
            rhs[i] -= projected;
        }
    }
}

/* Add the first n lanes. */
static int scatter(work *w, const dg_target *t, const int64_t *cell, int n)
{
    const int64_t kf = w->c->n_field;
    for (int l = 0; l < n; l++) {
        const int32_t *nodes = w->c->field + cell[l] * kf;
        const int constrained = is_constrained(t, nodes, kf);
        if (t->values && find_places(w, t, nodes)) return DG_NOT_IN_PATTERN;
        if (constrained)
            add_constrained(w, t, nodes, l);
        else if (!t->values)
            continue;
        else if (w->f->n_components == 3)
            add_lane(w, t, nodes, l, 3);
        else if (w->f->n_components == 2)
            add_lane(w, t, nodes, l, 2);
        else
            add_lane(w, t, nodes, l, 1);
    }
    return DG_OK;
}

#endif
