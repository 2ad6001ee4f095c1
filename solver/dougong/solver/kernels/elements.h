/* Element matrices of a batch: ke[pair][i][j] for the pairs a <= b (or a == b only). */
#ifndef DOUGONG_ELEMENTS_H
#define DOUGONG_ELEMENTS_H

#include "geometry.h"

/* Above this number of affine modes the reference tensor is cheaper: 54 against 9 operations a mode. */
enum { MODES_BEFORE_TENSOR = 6 };

/* sum_kl C_ikjl D_kl with Lame's constants: lambda D_ij + mu D_ji + mu delta_ij tr D. */
INLINE void isotropic_block(const vd *d, vd lambda, vd mu, vd *ke, const int dim)
{
    vd trace = d[0] + d[dim + 1];
    if (dim == 3) trace += d[8];
    trace *= mu;
    for (int i = 0; i < dim; i++)
        for (int j = 0; j < dim; j++) {
            vd k = lambda * d[i * dim + j] + mu * d[j * dim + i];
            if (i == j) k += trace;
            ke[i * dim + j] = k;
        }
}

INLINE void voigt_block(const vd *d, const vd *c, vd *ke, const int dim)
{
    const int s = dim == 3 ? 6 : 3;
    UNROLL
    for (int i = 0; i < dim; i++)
        UNROLL
        for (int j = 0; j < dim; j++) {
            vd sum = v_set(0.0);
            UNROLL
            for (int k = 0; k < dim; k++)
                UNROLL
                for (int l = 0; l < dim; l++)
                    sum += c[packed(voigt(i, k, dim), voigt(j, l, dim), s)] * d[k * dim + l];
            ke[i * dim + j] = sum;
        }
}

/* A node's own block is symmetric up to rounding; made so exactly, the whole matrix is. */
INLINE void symmetrise(vd *ke, const int dim)
{
    for (int i = 0; i < dim; i++)
        for (int j = 0; j < i; j++) ke[i * dim + j] = ke[j * dim + i];
}

/* Material constants of the batch: columns of the table, one vector each. */
INLINE void gather_table(work *w, const int64_t *cell, const int64_t columns)
{
    double *out = (double *)w->coefficient;
    for (int l = 0; l < W; l++) {
        const double *row = w->f->table + (int64_t)w->f->index[cell[l]] * columns;
        for (int64_t i = 0; i < columns; i++) out[i * W + l] = row[i];
    }
}

/* The same of each point: columns one after the other, point after point. */
INLINE void gather_tangents(work *w, const int64_t *cell, const int64_t columns)
{
    const int64_t n = w->nq * columns;
    double *out = (double *)w->coefficient;
    for (int l = 0; l < W; l++) {
        const double *row = w->f->tangents + cell[l] * n;
        for (int64_t i = 0; i < n; i++) out[i * W + l] = row[i];
    }
}

/* The elasticity matrix of Lame's constants. */
INLINE void isotropic_matrix(const vd *lame, vd *c, const int dim)
{
    const int s = dim == 3 ? 6 : 3;
    for (int r = 0; r < s; r++)
        for (int k = r; k < s; k++) {
            vd *entry = c + packed(r, k, s);
            *entry = r < dim && k < dim ? lame[0] : v_set(0.0);
            if (r == k) *entry += r < dim ? lame[1] + lame[1] : lame[1];
        }
}

/* D_kl = sum_q w d_k phi_a d_l phi_b, then the material. */
INLINE void element_elastic(work *w, const int64_t *cell, int affine, int diagonal, const int dim, const int isotropic)
{
    const int64_t kf = w->c->n_field;
    const int tensor = affine && w->c->n_modes > MODES_BEFORE_TENSOR;
    batch_geometry(w, cell, affine, dim);
    if (!tensor) batch_gradients(w, affine, dim);
    gather_table(w, cell, isotropic ? 2 : dim == 3 ? 21 : 6);
    const int64_t nq = w->nq;
    const vd *coefficient = w->coefficient;
    vd *ke = w->ke;
    vd inv[9], winv[9];
    if (tensor) {
        /* wdet[q] = factor * affine_weights[q]: recover the factor without a division by a small weight. */
        vd jac[9], ignored[9], factor = v_set(1.0);
        jacobian(w, w->c->affine_geometry, jac, dim);
        factor = v_abs(invert(jac, ignored, dim));
        if (w->f->cell_factor)
            for (int l = 0; l < W; l++) factor[l] *= w->f->cell_factor[cell[l]];
        for (int i = 0; i < dim * dim; i++) {
            inv[i] = w->inverse[i];
            winv[i] = inv[i] * factor;
        }
    }
    for (int64_t a = 0; a < kf; a++) {
        const double *reference = w->c->affine_tensor + (a * kf - a * (a - 1) / 2) * dim * dim;
        if (!tensor)
            for (int64_t q = 0; q < nq; q++)
                for (int k = 0; k < dim; k++) w->wg[q * dim + k] = w->wdet[q] * w->g[(a * nq + q) * dim + k];
        for (int64_t b = a; b < (diagonal ? a + 1 : kf); b++, ke += dim * dim, reference += dim * dim) {
            vd d[9];
            for (int i = 0; i < dim * dim; i++) d[i] = v_set(0.0);
            if (tensor) {
                for (int alpha = 0; alpha < dim; alpha++)
                    for (int l = 0; l < dim; l++) {
                        vd t = winv[l * dim] * reference[alpha * dim];
                        for (int beta = 1; beta < dim; beta++) t += winv[l * dim + beta] * reference[alpha * dim + beta];
                        for (int k = 0; k < dim; k++) d[k * dim + l] += inv[k * dim + alpha] * t;
                    }
            } else {
                const vd *ga = w->wg, *gb = w->g + b * nq * dim;
                for (int64_t q = 0; q < nq; q++, ga += dim, gb += dim)
                    for (int k = 0; k < dim; k++)
                        for (int l = 0; l < dim; l++) d[k * dim + l] += ga[k] * gb[l];
            }
            if (isotropic)
                isotropic_block(d, coefficient[0], coefficient[1], ke, dim);
            else
                voigt_block(d, coefficient, ke, dim);
            if (a == b) symmetrise(ke, dim);
        }
    }
}

/* Elasticity with a matrix of its own at every integration point: sum_q w B_a^T C B_b. */
INLINE void element_tangent(work *w, const int64_t *cell, int diagonal, const int dim, const int isotropic)
{
    const int s = dim == 3 ? 6 : 3, columns = isotropic ? 2 : s * (s + 1) / 2;
    const int64_t kf = w->c->n_field, nb = dim * dim;
    batch_geometry(w, cell, 0, dim);
    batch_gradients(w, 0, dim);
    const int64_t nq = w->nq;
    gather_tangents(w, cell, columns);
    for (int64_t b = 0; b < kf; b++) {
        for (int64_t q = 0; q < nq; q++) {
            const vd *c = w->coefficient + q * columns, *gb = w->g + (b * nq + q) * dim;
            vd matrix[21];
            if (isotropic) {
                isotropic_matrix(c, matrix, dim);
                c = matrix;
            }
            for (int r = 0; r < s; r++)
                UNROLL
                for (int j = 0; j < dim; j++) {
                    vd sum = c[packed(r, voigt(j, 0, dim), s)] * gb[0];
                    for (int l = 1; l < dim; l++) sum += c[packed(r, voigt(j, l, dim), s)] * gb[l];
                    w->wg[(q * s + r) * dim + j] = w->wdet[q] * sum;
                }
        }
        for (int64_t a = diagonal ? b : 0; a <= b; a++) {
            vd k[9];
            for (int i = 0; i < nb; i++) k[i] = v_set(0.0);
            for (int64_t q = 0; q < nq; q++) {
                const vd *ga = w->g + (a * nq + q) * dim, *stress = w->wg + q * s * dim;
                UNROLL
                for (int i = 0; i < dim; i++)
                    UNROLL
                    for (int j = 0; j < dim; j++)
                        UNROLL
                        for (int n = 0; n < dim; n++) k[i * dim + j] += ga[n] * stress[voigt(i, n, dim) * dim + j];
            }
            const int64_t pair = diagonal ? a : a * kf - a * (a - 1) / 2 + b - a;
            if (a == b) symmetrise(k, dim);
            for (int i = 0; i < nb; i++) w->ke[pair * nb + i] = k[i];
        }
    }
}

INLINE void element_diffusion(work *w, const int64_t *cell, int affine, int diagonal, const int dim)
{
    const int64_t kf = w->c->n_field;
    batch_geometry(w, cell, affine, dim);
    const int by_point = w->f->tangents != NULL;
    if (by_point) gather_tangents(w, cell, dim * dim);
    else gather_table(w, cell, dim * dim);
    const vd *kappa = w->coefficient;
    vd *ke = w->ke;
    if (affine) {
        vd jac[9], inv[9], flux[9], metric[9], factor;
        jacobian(w, w->c->affine_geometry, jac, dim);
        factor = v_abs(invert(jac, inv, dim));
        if (w->f->cell_factor)
            for (int l = 0; l < W; l++) factor[l] *= w->f->cell_factor[cell[l]];
        for (int k = 0; k < dim; k++)
            for (int beta = 0; beta < dim; beta++) {
                flux[k * dim + beta] = v_set(0.0);
                for (int l = 0; l < dim; l++) flux[k * dim + beta] += kappa[k * dim + l] * inv[l * dim + beta];
            }
        for (int alpha = 0; alpha < dim; alpha++)
            for (int beta = 0; beta < dim; beta++) {
                vd sum = v_set(0.0);
                for (int k = 0; k < dim; k++) sum += inv[k * dim + alpha] * flux[k * dim + beta];
                metric[alpha * dim + beta] = sum * factor;
            }
        for (int64_t a = 0; a < kf; a++) {
            const double *reference = w->c->affine_tensor + (a * kf - a * (a - 1) / 2) * dim * dim;
            for (int64_t b = a; b < (diagonal ? a + 1 : kf); b++, reference += dim * dim) {
                vd sum = metric[0] * reference[0];
                for (int i = 1; i < dim * dim; i++) sum += metric[i] * reference[i];
                *ke++ = sum;
            }
        }
        return;
    }
    batch_gradients(w, 0, dim);
    const int64_t nq = w->nq;
    for (int64_t a = 0; a < kf; a++) {
        for (int64_t q = 0; q < nq; q++)
            for (int k = 0; k < dim; k++) {
                vd sum = v_set(0.0);
                for (int l = 0; l < dim; l++)
                    sum += kappa[(by_point ? q : 0) * dim * dim + k * dim + l] * w->g[(a * nq + q) * dim + l];
                w->wg[q * dim + k] = w->wdet[q] * sum;
            }
        for (int64_t b = a; b < (diagonal ? a + 1 : kf); b++) {
            const vd *ga = w->wg, *gb = w->g + b * nq * dim;
            vd sum[3] = {v_set(0.0), v_set(0.0), v_set(0.0)};
            for (int64_t q = 0; q < nq; q++, ga += dim, gb += dim)
                for (int k = 0; k < dim; k++) sum[k] += ga[k] * gb[k];
            *ke++ = dim == 3 ? sum[0] + sum[1] + sum[2] : sum[0] + sum[1];
        }
    }
}

INLINE void element_mass(work *w, const int64_t *cell, int affine, int diagonal, const int dim)
{
    const dg_cells *c = w->c;
    const int64_t kf = c->n_field;
    const int nc = (int)w->f->n_components;
    batch_geometry(w, cell, affine, dim);
    gather_table(w, cell, 1);
    vd *ke = w->ke, factor = w->coefficient[0];
    if (affine) {
        vd jac[9], inv[9];
        jacobian(w, c->affine_geometry, jac, dim);
        factor *= v_abs(invert(jac, inv, dim));
        if (w->f->cell_factor)
            for (int l = 0; l < W; l++) factor[l] *= w->f->cell_factor[cell[l]];
    }
    for (int64_t a = 0; a < kf; a++)
        for (int64_t b = a; b < (diagonal ? a + 1 : kf); b++, ke += nc * nc) {
            vd sum = v_set(0.0);
            if (affine)
                sum = sum + c->affine_mass[a * kf + b];
            else
                for (int64_t q = 0; q < w->nq; q++) sum += w->wdet[q] * (c->shapes[q * kf + a] * c->shapes[q * kf + b]);
            sum *= factor;
            for (int i = 0; i < nc; i++)
                for (int j = 0; j < nc; j++) ke[i * nc + j] = i == j ? sum : v_set(0.0);
        }
}

/* Specialised copies, chosen once per batch. */
#define ELEMENT(NAME, CALL) \
    static __attribute__((noinline)) void NAME(work *w, const int64_t *cell, int affine, int diagonal) { CALL; }
ELEMENT(isotropic_2, element_elastic(w, cell, affine, diagonal, 2, 1))
ELEMENT(isotropic_3, element_elastic(w, cell, affine, diagonal, 3, 1))
ELEMENT(elastic_2, element_elastic(w, cell, affine, diagonal, 2, 0))
ELEMENT(elastic_3, element_elastic(w, cell, affine, diagonal, 3, 0))
ELEMENT(tangent_2, (void)affine; element_tangent(w, cell, diagonal, 2, 0))
ELEMENT(tangent_3, (void)affine; element_tangent(w, cell, diagonal, 3, 0))
ELEMENT(isotropic_tangent_2, (void)affine; element_tangent(w, cell, diagonal, 2, 1))
ELEMENT(isotropic_tangent_3, (void)affine; element_tangent(w, cell, diagonal, 3, 1))
ELEMENT(diffusion_2, element_diffusion(w, cell, affine, diagonal, 2))
ELEMENT(diffusion_3, element_diffusion(w, cell, affine, diagonal, 3))
ELEMENT(mass_2, element_mass(w, cell, affine, diagonal, 2))
ELEMENT(mass_3, element_mass(w, cell, affine, diagonal, 3))
#undef ELEMENT

typedef void (*element_function)(work *, const int64_t *, int, int);

static element_function choose_element(const dg_cells *c, const dg_form *f)
{
    const int solid = c->dim == 3;
    switch (f->kind) {
    case DG_ISOTROPIC:
        if (f->tangents) return solid ? isotropic_tangent_3 : isotropic_tangent_2;
        return solid ? isotropic_3 : isotropic_2;
    case DG_ELASTIC:
        if (f->tangents) return solid ? tangent_3 : tangent_2;
        return solid ? elastic_3 : elastic_2;
    case DG_DIFFUSION: return solid ? diffusion_3 : diffusion_2;
    case DG_MASS: return solid ? mass_3 : mass_2;
    default: return NULL;
    }
}

#endif
