/* Products and evaluations that need no matrix: y = K u, gradients at points, internal forces. */
#ifndef DOUGONG_APPLY_H
#define DOUGONG_APPLY_H

#include "elements.h"

#define VECTOR vd
#define NAME(x) x
#include "tensors.h"

INLINE void gather_field(work *w, const int64_t *cell, const double *u, const int nc)
{
    const int64_t kf = w->c->n_field;
    double *out = (double *)w->u;
    for (int l = 0; l < W; l++) {
        const int32_t *nodes = w->c->field + cell[l] * kf;
        for (int64_t a = 0; a < kf; a++)
            for (int i = 0; i < nc; i++) out[(a * nc + i) * W + l] = u[(int64_t)nodes[a] * nc + i];
    }
}

INLINE void add_field(const work *w, const int64_t *cell, int n, int64_t n_rows, double *y, const int nc)
{
    const int64_t kf = w->c->n_field;
    const double *in = (const double *)w->y;
    for (int l = 0; l < n; l++) {
        const int32_t *nodes = w->c->field + cell[l] * kf;
        for (int64_t a = 0; a < kf; a++)
            if (nodes[a] < n_rows)
                for (int i = 0; i < nc; i++) y[(int64_t)nodes[a] * nc + i] += in[(a * nc + i) * W + l];
    }
}

/* h[i][alpha] = d u_i / d xi_alpha at one point. */
INLINE void reference_gradient(const work *w, const double *table, vd *h, const int dim, const int nc)
{
    for (int i = 0; i < nc * dim; i++) h[i] = v_set(0.0);
    for (int64_t a = 0; a < w->c->n_field; a++)
        for (int i = 0; i < nc; i++)
            for (int alpha = 0; alpha < dim; alpha++) h[i * dim + alpha] += w->u[a * nc + i] * table[a * dim + alpha];
}

/* y_a,i += sum_alpha p[i][alpha] d phi_a / d xi_alpha. */
INLINE void add_divergence(work *w, const double *table, const vd *p, const int dim, const int nc)
{
    for (int64_t a = 0; a < w->c->n_field; a++)
        for (int i = 0; i < nc; i++) {
            vd sum = w->y[a * nc + i];
            for (int alpha = 0; alpha < dim; alpha++) sum += p[i * dim + alpha] * table[a * dim + alpha];
            w->y[a * nc + i] = sum;
        }
}

INLINE void apply_batch(work *w, const int64_t *cell, int n, int affine, const double *u, int64_t n_rows, double *y,
                        const int dim, const int kind)
{
    const int nc = kind == DG_DIFFUSION ? 1 : dim, s = dim == 3 ? 6 : 3;
    const int columns = kind == DG_ISOTROPIC ? 2 : kind == DG_DIFFUSION ? dim * dim : s * (s + 1) / 2;
    const int64_t kf = w->c->n_field;
    const double *table = affine ? w->c->affine_gradients : w->c->gradients, *tangents = w->f->tangents;
    batch_geometry(w, cell, affine, dim);
    if (!tangents) gather_table(w, cell, columns);
    gather_field(w, cell, u, nc);
    for (int64_t i = 0; i < kf * nc; i++) w->y[i] = v_set(0.0);
    for (int64_t q = 0; q < w->nq; q++) {
        const vd *inv = w->inverse + (affine ? 0 : q * dim * dim);
        vd h[9], e[9], stress[9];
        if (tangents)
            for (int l = 0; l < W; l++)
                for (int i = 0; i < columns; i++)
                    w->coefficient[i][l] = tangents[(cell[l] * w->nq + q) * columns + i];
        reference_gradient(w, table + q * kf * dim, h, dim, nc);
        pull(h, inv, e, dim, nc);
        flux(e, w->coefficient, w->wdet[q], stress, dim, kind);
        push(stress, inv, h, dim, nc);
        add_divergence(w, table + q * kf * dim, h, dim, nc);
    }
    add_field(w, cell, n, n_rows, y, nc);
}

/* Mass: y_a = sum_b rho (phi_a, phi_b) u_b, by the element matrix, which costs little. */
static void apply_mass(work *w, const int64_t *cell, int n, int affine, const double *u, int64_t n_rows, double *y)
{
    const int64_t kf = w->c->n_field;
    const int nc = (int)w->f->n_components;
    (w->c->dim == 3 ? mass_3 : mass_2)(w, cell, affine, 0);
    gather_field(w, cell, u, nc);
    for (int64_t i = 0; i < kf * nc; i++) w->y[i] = v_set(0.0);
    const vd *ke = w->ke;
    for (int64_t a = 0; a < kf; a++)
        for (int64_t b = a; b < kf; b++, ke += nc * nc)
            for (int i = 0; i < nc; i++) {
                w->y[a * nc + i] += ke[0] * w->u[b * nc + i];
                if (b != a) w->y[b * nc + i] += ke[0] * w->u[a * nc + i];
            }
    add_field(w, cell, n, n_rows, y, nc);
}

static void apply_any(work *w, const int64_t *cell, int n, int affine, const double *u, int64_t n_rows, double *y)
{
    const int solid = w->c->dim == 3;
    switch (w->f->kind) {
    case DG_ISOTROPIC:
        if (solid) apply_batch(w, cell, n, affine, u, n_rows, y, 3, DG_ISOTROPIC);
        else apply_batch(w, cell, n, affine, u, n_rows, y, 2, DG_ISOTROPIC);
        return;
    case DG_ELASTIC:
        if (solid) apply_batch(w, cell, n, affine, u, n_rows, y, 3, DG_ELASTIC);
        else apply_batch(w, cell, n, affine, u, n_rows, y, 2, DG_ELASTIC);
        return;
    case DG_DIFFUSION:
        if (solid) apply_batch(w, cell, n, affine, u, n_rows, y, 3, DG_DIFFUSION);
        else apply_batch(w, cell, n, affine, u, n_rows, y, 2, DG_DIFFUSION);
        return;
    default: apply_mass(w, cell, n, affine, u, n_rows, y);
    }
}

/* Gradients (q, nc, dim) of a field at the quadrature points and weight times |det J| (q), for the first n lanes. */
INLINE void gradients_batch(work *w, const int64_t *cell, int n, int64_t nc, const double *u, double *out,
                            double *measure, const int dim)
{
    const dg_cells *c = w->c;
    const int64_t nq = c->n_points, kf = c->n_field;
    gather_points(w, cell, dim);
    if (u)
        for (int l = 0; l < W; l++)
            for (int64_t a = 0; a < kf; a++)
                for (int64_t i = 0; i < nc; i++)
                    w->u[a * nc + i][l] = u[(int64_t)c->field[cell[l] * kf + a] * nc + i];
    for (int64_t q = 0; q < nq; q++) {
        vd jac[9], inv[9];
        jacobian(w, c->geometry_gradients + q * c->n_geometry * dim, jac, dim);
        const vd det = invert(jac, inv, dim); /* signed: the caller looks for inverted cells here */
        if (measure)
            for (int l = 0; l < n; l++) measure[cell[l] * nq + q] = c->weights[q] * det[l];
        if (!u) continue;
        for (int64_t i = 0; i < nc; i++) {
            vd h[3] = {v_set(0.0), v_set(0.0), v_set(0.0)};
            for (int64_t a = 0; a < kf; a++)
                for (int alpha = 0; alpha < dim; alpha++)
                    h[alpha] += w->u[a * nc + i] * c->gradients[(q * kf + a) * dim + alpha];
            for (int k = 0; k < dim; k++) {
                vd e = h[0] * inv[k * dim];
                for (int alpha = 1; alpha < dim; alpha++) e += h[alpha] * inv[k * dim + alpha];
                for (int l = 0; l < n; l++) out[((cell[l] * nq + q) * nc + i) * dim + k] = e[l];
            }
        }
    }
}

/* f_a,i = sum_q w sigma_ik d_k phi_a. */
INLINE void force_batch(work *w, const int64_t *cell, int n, const double *stress, int64_t n_rows, double *force,
                        const int dim)
{
    const dg_cells *c = w->c;
    const int s = dim == 3 ? 6 : 3;
    const int64_t nq = c->n_points, kf = c->n_field;
    batch_geometry(w, cell, 0, dim);
    for (int64_t i = 0; i < kf * dim; i++) w->y[i] = v_set(0.0);
    for (int64_t q = 0; q < nq; q++) {
        const vd *component = w->coefficient;
        vd sigma[9], p[9];
        for (int l = 0; l < W; l++)
            for (int i = 0; i < s; i++) w->coefficient[i][l] = stress[(cell[l] * nq + q) * s + i];
        for (int i = 0; i < dim; i++)
            for (int k = 0; k < dim; k++) sigma[i * dim + k] = w->wdet[q] * component[voigt(i, k, dim)];
        push(sigma, w->inverse + q * dim * dim, p, dim, dim);
        add_divergence(w, c->gradients + q * kf * dim, p, dim, dim);
    }
    add_field(w, cell, n, n_rows, force, dim);
}

#endif
