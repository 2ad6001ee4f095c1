/* y += K u, cell by cell, on cells that were prepared: what does not depend on u is worked out once and read in order.
 *
 * Included once for each precision: REAL, LANES cells at a time, MASK an integer as wide as REAL. An
 * iteration of multigrid does this many times. It reads some 100 to 200 bytes a cell, where a matrix has thousands, so
 * that arithmetic, which cores have enough of, sets the pace and not the memory, which they share. */

#define GLUE_(a, b) a##_##b
#define GLUE(a, b) GLUE_(a, b)
#define OF(x) GLUE(x, REAL)

typedef REAL OF(vector) __attribute__((vector_size(sizeof(REAL) * LANES)));
typedef REAL OF(four) __attribute__((vector_size(sizeof(REAL) * 4)));
typedef REAL OF(four_anywhere) __attribute__((vector_size(sizeof(REAL) * 4), aligned(sizeof(REAL)), may_alias));
typedef MASK OF(places) __attribute__((vector_size(sizeof(REAL) * 4)));

#define VECTOR OF(vector)
#define NAME(x) OF(x)
#include "tensors.h"

#if defined(__clang__)
#define PICK(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define PICK(a, b, ...) __builtin_shuffle(a, b, (OF(places)){__VA_ARGS__})
#endif

/* Three components come as four, and four lanes are transposed. */
INLINE int OF(by_four)(const int nc) { return nc == 3 && LANES % 4 == 0; }

/* u[i] of a node for all lanes; there must be room for one number behind the last node. */
INLINE void OF(gather)(const int32_t *nodes, const REAL *x, REAL *u, const int nc)
{
    for (int l = 0; !OF(by_four)(nc) && l < LANES; l++)
        for (int i = 0; i < nc; i++) u[i * LANES + l] = x[(int64_t)nodes[l] * nc + i];
    for (int l = 0; OF(by_four)(nc) && l < LANES; l += 4) {
        OF(four) r[4];
        for (int k = 0; k < 4; k++) r[k] = *(const OF(four_anywhere) *)(x + 3 * (int64_t)nodes[l + k]);
        const OF(four) xy01 = PICK(r[0], r[1], 0, 4, 1, 5), xy23 = PICK(r[2], r[3], 0, 4, 1, 5);
        const OF(four) z01 = PICK(r[0], r[1], 2, 6, 3, 7), z23 = PICK(r[2], r[3], 2, 6, 3, 7);
        *(OF(four_anywhere) *)(u + l) = PICK(xy01, xy23, 0, 1, 4, 5);
        *(OF(four_anywhere) *)(u + LANES + l) = PICK(xy01, xy23, 2, 3, 6, 7);
        *(OF(four_anywhere) *)(u + 2 * LANES + l) = PICK(z01, z23, 0, 1, 4, 5);
    }
}

INLINE void OF(add_one)(REAL *y, OF(four) values) { *(OF(four_anywhere) *)y += values; }

/* The other way: y of each lane's node += v; the number behind it gets a zero added. */
INLINE void OF(spread)(const int32_t *nodes, REAL *y, const REAL *v, const int nc)
{
    for (int l = 0; !OF(by_four)(nc) && l < LANES; l++)
        for (int i = 0; i < nc; i++) y[(int64_t)nodes[l] * nc + i] += v[i * LANES + l];
    for (int l = 0; OF(by_four)(nc) && l < LANES; l += 4) {
        const OF(four) a = *(const OF(four_anywhere) *)(v + l), b = *(const OF(four_anywhere) *)(v + LANES + l);
        const OF(four) c = *(const OF(four_anywhere) *)(v + 2 * LANES + l), zero = {0};
        const OF(four) xy01 = PICK(a, b, 0, 4, 1, 5), xy23 = PICK(a, b, 2, 6, 3, 7);
        const OF(four) z01 = PICK(c, zero, 0, 4, 1, 5), z23 = PICK(c, zero, 2, 6, 3, 7);
        OF(add_one)(y + 3 * (int64_t)nodes[l], PICK(xy01, z01, 0, 1, 4, 5));
        OF(add_one)(y + 3 * (int64_t)nodes[l + 1], PICK(xy01, z01, 2, 3, 6, 7));
        OF(add_one)(y + 3 * (int64_t)nodes[l + 2], PICK(xy23, z23, 0, 1, 4, 5));
        OF(add_one)(y + 3 * (int64_t)nodes[l + 3], PICK(xy23, z23, 2, 3, 6, 7));
    }
}

INLINE void OF(product_batches)(const dg_prepared *p, const REAL *x, REAL *y, const int dim, const int kind)
{
    typedef OF(vector) vector;
    const int nc = kind == DG_DIFFUSION ? 1 : dim, dd = dim * dim;
    const int64_t kf = p->n_field, sets = p->affine ? 1 : p->n_points;
    vector u[32 * 3], v[32 * 3];
    for (int64_t batch = 0; batch < p->n_batches; batch++) {
        const int32_t *nodes = p->nodes + batch * kf * LANES;
        const vector *geometry = (const vector *)p->geometry + batch * sets * (dd + 1);
        const vector *coefficients = (const vector *)p->coefficients
                                     + batch * (p->by_point ? p->n_points : 1) * p->n_coefficients;
        for (int64_t a = 0; a < kf; a++) OF(gather)(nodes + a * LANES, x, (REAL *)(u + a * nc), nc);
        for (int64_t i = 0; i < kf * nc; i++) v[i] = (vector){0};
        for (int64_t q = 0; q < p->n_points; q++) {
            const REAL *table = (const REAL *)p->gradients + q * kf * dim;
            vector h[9], e[9], stress[9], inverse[9];
            for (int i = 0; i < dd; i++) inverse[i] = geometry[i];
            for (int i = 0; i < nc * dim; i++) h[i] = (vector){0};
            for (int64_t a = 0; a < kf; a++)
                for (int i = 0; i < nc; i++)
                    for (int alpha = 0; alpha < dim; alpha++) h[i * dim + alpha] += u[a * nc + i] * table[a * dim + alpha];
            OF(pull)(h, inverse, e, dim, nc);
            OF(flux)(e, coefficients, geometry[dd] * ((const REAL *)p->weights)[q], stress, dim, kind);
            OF(push)(stress, inverse, h, dim, nc);
            for (int64_t a = 0; a < kf; a++)
                for (int i = 0; i < nc; i++) {
                    vector sum = v[a * nc + i];
                    for (int alpha = 0; alpha < dim; alpha++) sum += h[i * dim + alpha] * table[a * dim + alpha];
                    v[a * nc + i] = sum;
                }
            if (!p->affine) geometry += dd + 1;
            if (p->by_point) coefficients += p->n_coefficients;
        }
        for (int64_t a = 0; a < kf; a++) OF(spread)(nodes + a * LANES, y, (const REAL *)(v + a * nc), nc);
    }
}

static int OF(product)(const dg_prepared *p, const REAL *x, REAL *y)
{
    if (p->kind == DG_ISOTROPIC && p->dim == 3) OF(product_batches)(p, x, y, 3, DG_ISOTROPIC);
    else if (p->kind == DG_ISOTROPIC) OF(product_batches)(p, x, y, 2, DG_ISOTROPIC);
    else if (p->kind == DG_ELASTIC && p->dim == 3) OF(product_batches)(p, x, y, 3, DG_ELASTIC);
    else if (p->kind == DG_ELASTIC) OF(product_batches)(p, x, y, 2, DG_ELASTIC);
    else if (p->kind == DG_DIFFUSION && p->dim == 3) OF(product_batches)(p, x, y, 3, DG_DIFFUSION);
    else if (p->kind == DG_DIFFUSION) OF(product_batches)(p, x, y, 2, DG_DIFFUSION);
    else return DG_BAD_KIND;
    return DG_OK;
}

INLINE void OF(prepare_cells)(work *w, const int64_t *cells, int64_t n, dg_prepared *p, const int dim)
{
    const dg_cells *c = w->c;
    const dg_form *f = w->f;
    const int dd = dim * dim;
    const int64_t kf = c->n_field, sets = p->affine ? 1 : c->n_points, nk = p->n_coefficients;
    const vd shorter = v_set(1.0 / p->length);
    for (int64_t first = 0; first < n; first += W) {
        const int m = n - first < W ? (int)(n - first) : W;
        int64_t cell[W];
        for (int l = 0; l < W; l++) cell[l] = cells[first + (l < m ? l : m - 1)];
        gather_points(w, cell, dim);
        for (int64_t q = 0; q < sets; q++) {
            vd jac[9], inv[9];
            jacobian(w, p->affine ? c->affine_geometry : c->geometry_gradients + q * c->n_geometry * dim, jac, dim);
            for (int i = 0; i < dd; i++) jac[i] *= shorter;
            const vd det = v_abs(invert(jac, inv, dim));
            for (int l = 0; l < m; l++) {
                const int64_t batch = (first + l) / LANES, lane = (first + l) % LANES;
                REAL *out = (REAL *)p->geometry + (batch * sets + q) * (dd + 1) * LANES + lane;
                double factor = det[l];
                if (f->cell_factor) factor *= f->cell_factor[cell[l]];
                if (!p->affine) factor *= c->weights[q];
                if (f->point_factor) factor *= f->point_factor[cell[l] * c->n_points + q];
                for (int i = 0; i < dd; i++) out[i * LANES] = (REAL)inv[i][l];
                out[dd * LANES] = (REAL)factor;
            }
        }
        for (int l = 0; l < m; l++) {
            const int64_t batch = (first + l) / LANES, lane = (first + l) % LANES;
            for (int64_t a = 0; a < kf; a++)
                p->nodes[(batch * kf + a) * LANES + lane] = c->field[cell[l] * kf + a];
            for (int64_t q = 0; q < (p->by_point ? c->n_points : 1); q++) {
                REAL *out = (REAL *)p->coefficients + (batch * (p->by_point ? c->n_points : 1) + q) * nk * LANES + lane;
                const double *in = p->by_point ? f->tangents + (cell[l] * c->n_points + q) * nk
                                               : f->table + (int64_t)f->index[cell[l]] * nk;
                for (int64_t i = 0; i < nk; i++) out[i * LANES] = (REAL)(in[i] / p->coefficient);
            }
        }
    }
    /* Lanes that are left over repeat the last cell with no weight. */
    for (int64_t k = n; k % LANES; k++)
        for (int64_t a = 0; a < kf; a++)
            p->nodes[(k / LANES * kf + a) * LANES + k % LANES] = c->field[cells[n - 1] * kf + a];
}

/* Fill the arrays of `p`, zeros before, for the given cells. */
static int OF(prepare)(const dg_cells *c, const dg_form *f, const int64_t *cells, int64_t n, dg_prepared *p)
{
    work w;
    if (f->kind == DG_MASS) return DG_BAD_KIND;
    if (work_init(&w, c, f, 0)) return DG_NO_MEMORY;
    if (c->dim == 3) OF(prepare_cells)(&w, cells, n, p, 3);
    else OF(prepare_cells)(&w, cells, n, p, 2);
    work_free(&w);
    return DG_OK;
}

#undef PICK
#undef OF
#undef GLUE
#undef GLUE_
#undef REAL
#undef LANES
#undef MASK
