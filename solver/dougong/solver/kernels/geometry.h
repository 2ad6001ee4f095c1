/* A batch of W cells: coordinates, Jacobian, physical gradients of the field functions. */
#ifndef DOUGONG_GEOMETRY_H
#define DOUGONG_GEOMETRY_H

#include "simd.h"

/* Room for one batch. Shapes in vectors. */
typedef struct {
    const dg_cells *c;
    const dg_form *f;
    int64_t nq;      /* points of this batch: quadrature points, or modes of the affine form */
    vd *x;           /* (kg, dim) coordinates */
    vd *inverse;     /* (nq, dim, dim): [q][k][alpha] = d xi_alpha / d x_k */
    vd *wdet;        /* (nq): weight times |det J| times factors */
    vd *g;           /* (kf, nq, dim): physical gradients */
    vd *wg;          /* (nq, dim) or (nq, 6, 3): one node's weighted gradients, or stresses */
    vd *coefficient; /* (nq, 21) or (21) */
    vd *ke;          /* (kf (kf + 1) / 2, nc, nc): element matrices, pairs a <= b */
    vd *u;           /* (kf, 3) */
    vd *y;           /* (kf, 3) */
    vd *rows;        /* (W, kf nc nc / W): blocks of one row, lane after lane */
    int32_t *source; /* (kf, kf nc nc): vector of ke for an entry of the element matrix; rows padded to tiles of W */
    double *block;   /* (kf, kf, nc, nc) of one lane */
    int64_t padded;  /* kf nc nc, rounded up to a multiple of W */
    void *memory;
} work;

static int work_init(work *w, const dg_cells *c, const dg_form *f, int with_matrix)
{
    const int64_t nq = c->n_points > c->n_modes ? c->n_points : c->n_modes;
    const int64_t kf = c->n_field, nb = f ? f->n_components * f->n_components : 9;
    const int64_t pairs = with_matrix ? kf * (kf + 1) / 2 : kf;
    const int64_t padded = (kf * nb + W - 1) / W * W;
    const int64_t sizes[] = {c->n_geometry * 3, nq * 9, nq, kf * nq * 3, nq * 18,
                             f && f->tangents ? nq * 21 : 21, pairs * nb, kf * 3, kf * 3, padded};
    vd **parts[] = {&w->x, &w->inverse, &w->wdet, &w->g, &w->wg, &w->coefficient, &w->ke, &w->u, &w->y, &w->rows};
    int64_t total = 0;
    for (int i = 0; i < 10; i++) total += sizes[i];
    const int64_t blocks = with_matrix ? kf * kf * nb : 1;
    const int64_t sources = with_matrix ? kf * padded : 0;
    size_t bytes =
        (size_t)total * sizeof(vd) + (size_t)blocks * sizeof(double) + (size_t)sources * sizeof(int32_t);
    bytes = (bytes + 63) / 64 * 64;
    memset(w, 0, sizeof *w);
    w->c = c;
    w->f = f;
    w->memory = aligned_alloc(64, bytes);
    if (!w->memory) return DG_NO_MEMORY;
    memset(w->memory, 0, bytes);
    vd *next = w->memory;
    for (int i = 0; i < 10; i++) {
        *parts[i] = next;
        next += sizes[i];
    }
    w->block = (double *)next;
    w->source = (int32_t *)(w->block + blocks);
    w->padded = padded;
    if (!with_matrix || !f) return DG_OK;
    const int64_t nc = f->n_components;
    for (int64_t a = 0; a < kf; a++)
        for (int64_t b = 0; b < kf; b++)
            for (int64_t i = 0; i < nc; i++)
                for (int64_t j = 0; j < nc; j++) {
                    const int64_t upper = (a * kf - a * (a - 1) / 2 + b - a) * nb + i * nc + j;
                    const int64_t lower = (b * kf - b * (b - 1) / 2 + a - b) * nb + j * nc + i;
                    w->source[a * padded + b * nb + i * nc + j] = (int32_t)(a <= b ? upper : lower);
                }
    return DG_OK;
}

static void work_free(work *w) { free(w->memory); }

INLINE void gather_points(work *w, const int64_t *cell, const int dim)
{
    const int64_t kg = w->c->n_geometry;
    double *x = (double *)w->x;
    for (int l = 0; l < W; l++) {
        const int32_t *nodes = w->c->geometry + cell[l] * kg;
        for (int64_t a = 0; a < kg; a++)
            for (int k = 0; k < dim; k++) x[(a * dim + k) * W + l] = w->c->points[(int64_t)nodes[a] * dim + k];
    }
}

/* jac[k][alpha] = d x_k / d xi_alpha. */
INLINE void jacobian(const work *w, const double *gradients, vd *jac, const int dim)
{
    for (int i = 0; i < dim * dim; i++) jac[i] = v_set(0.0);
    for (int64_t a = 0; a < w->c->n_geometry; a++)
        for (int k = 0; k < dim; k++)
            for (int alpha = 0; alpha < dim; alpha++)
                jac[k * dim + alpha] += w->x[a * dim + k] * gradients[a * dim + alpha];
}

/* inv[k][alpha] = d xi_alpha / d x_k; returns the determinant of jac. */
INLINE vd invert(const vd *jac, vd *inv, const int dim)
{
    if (dim == 2) {
        const vd det = jac[0] * jac[3] - jac[1] * jac[2], r = v_set(1.0) / det;
        inv[0] = jac[3] * r;
        inv[1] = -jac[2] * r;
        inv[2] = -jac[1] * r;
        inv[3] = jac[0] * r;
        return det;
    }
    vd cofactor[9];
    for (int k = 0; k < 3; k++)
        for (int alpha = 0; alpha < 3; alpha++) {
            const int k1 = (k + 1) % 3, k2 = (k + 2) % 3, a1 = (alpha + 1) % 3, a2 = (alpha + 2) % 3;
            cofactor[k * 3 + alpha] = jac[k1 * 3 + a1] * jac[k2 * 3 + a2] - jac[k1 * 3 + a2] * jac[k2 * 3 + a1];
        }
    const vd det = jac[0] * cofactor[0] + jac[1] * cofactor[1] + jac[2] * cofactor[2], r = v_set(1.0) / det;
    for (int i = 0; i < 9; i++) inv[i] = cofactor[i] * r;
    return det;
}

/* Jacobians of a batch: inverse (one for all points where affine) and weights. */
INLINE void batch_geometry(work *w, const int64_t *cell, int affine, const int dim)
{
    const dg_cells *c = w->c;
    vd jac[9], factor = v_set(1.0);
    gather_points(w, cell, dim);
    if (w->f && w->f->cell_factor)
        for (int l = 0; l < W; l++) factor[l] = w->f->cell_factor[cell[l]];
    if (affine) {
        w->nq = c->n_modes;
        jacobian(w, c->affine_geometry, jac, dim);
        factor *= v_abs(invert(jac, w->inverse, dim));
        for (int64_t q = 0; q < w->nq; q++) w->wdet[q] = factor * c->affine_weights[q];
        return;
    }
    w->nq = c->n_points;
    for (int64_t q = 0; q < w->nq; q++) {
        jacobian(w, c->geometry_gradients + q * c->n_geometry * dim, jac, dim);
        w->wdet[q] = factor * v_abs(invert(jac, w->inverse + q * dim * dim, dim)) * c->weights[q];
    }
    if (w->f && w->f->point_factor)
        for (int64_t q = 0; q < w->nq; q++)
            for (int l = 0; l < W; l++) w->wdet[q][l] *= w->f->point_factor[cell[l] * w->nq + q];
}

/* Physical gradients g[a][q][k]. */
INLINE void batch_gradients(work *w, int affine, const int dim)
{
    const int64_t kf = w->c->n_field, nq = w->nq;
    const double *table = affine ? w->c->affine_gradients : w->c->gradients;
    for (int64_t q = 0; q < nq; q++) {
        vd inv[9];
        for (int i = 0; i < dim * dim; i++) inv[i] = w->inverse[(affine ? 0 : q * dim * dim) + i];
        for (int64_t a = 0; a < kf; a++) {
            const double *d = table + (q * kf + a) * dim;
            for (int k = 0; k < dim; k++) {
                vd sum = inv[k * dim] * d[0];
                for (int alpha = 1; alpha < dim; alpha++) sum += inv[k * dim + alpha] * d[alpha];
                w->g[(a * nq + q) * dim + k] = sum;
            }
        }
    }
}

#endif
