/* All kernels, compiled once per instruction set (build.py): -DDG_NAME=avx2 -DDG_WIDTH=4 -mavx2 -mfma and so on.
 *
 * Cells are taken in mesh order, one lane each, in batches; affine and other cells wait in two queues, so that a batch
 * is of one kind. Sums into a row come in an order that depends on the mesh and on the batch width only: the same
 * kernels on the same arrays give the same bits. Another width or instruction set may differ in the last bits. */
#include "apply.h"
#include "scatter.h"
#include "smooth.h"

/* Cells that a product takes at a time. */
enum { SINGLE_LANES = 2 * DG_WIDTH, DOUBLE_LANES = DG_WIDTH };

#define REAL float
#define MASK int32_t
#define LANES SINGLE_LANES
#include "product.h"

#define REAL double
#define MASK int64_t
#define LANES DOUBLE_LANES
#include "product.h"


typedef struct {
    const dg_target *t;
    element_function element;
    int64_t n_rows;
    const double *in;
    double *out, *measure;
    int64_t nc;
    chunk *chunk; /* of an assembly */
} task;

typedef void (*batch_function)(work *, const task *, const int64_t *, int, int);

/* Run over the cells first .. last - 1; `affine_allowed` is 0 where coefficients vary inside a cell. `wanted` (may be
 * NULL) leaves out cells without a constrained node. */
static void for_batches(work *w, const task *job, batch_function function, int64_t first, int64_t last,
                        int affine_allowed, const dg_target *wanted)
{
    const dg_cells *c = w->c;
    int64_t queue[2][DG_WIDTH];
    int length[2] = {0, 0};
    for (int64_t cell = first; cell < last; cell++) {
        if (wanted && !is_constrained(wanted, c->field + cell * c->n_field, c->n_field)) continue;
        const int affine = affine_allowed && c->affine[cell];
        queue[affine][length[affine]++] = cell;
        if (length[affine] < W) continue;
        function(w, job, queue[affine], W, affine);
        length[affine] = 0;
    }
    for (int affine = 0; affine < 2; affine++) {
        if (!length[affine]) continue;
        for (int l = length[affine]; l < W; l++) queue[affine][l] = queue[affine][0];
        function(w, job, queue[affine], length[affine], affine);
    }
}

static void assemble_some(work *w, const task *job, const int64_t *cell, int n, int affine)
{
    job->element(w, cell, affine, 0);
    scatter(w, job->t, job->chunk, cell, n);
}

static int assemble(const dg_cells *c, const dg_form *f, const dg_target *t)
{
    work w;
    chunk k;
    task job = {.t = t, .element = choose_element(c, f), .chunk = &k};
    const int affine_allowed = !f->point_factor && !f->tangents;
    int status = DG_OK;
    if (!job.element) return DG_BAD_KIND;
    if (work_init(&w, c, f, 1)) return DG_NO_MEMORY;
    if (chunk_init(&k, t, c->n_field)) {
        work_free(&w);
        return DG_NO_MEMORY;
    }
    for (k.first = 0; k.first < c->n_cells && !status; k.first += k.size) {
        k.size = c->n_cells - k.first < k.capacity ? c->n_cells - k.first : k.capacity;
        if (t->values) status = chunk_places(&k, t, c->field, c->n_field);
        if (!status) for_batches(&w, &job, assemble_some, k.first, k.first + k.size, affine_allowed, t->values ? NULL : t);
    }
    chunk_free(&k);
    work_free(&w);
    return status;
}

static void apply_some(work *w, const task *job, const int64_t *cell, int n, int affine)
{
    apply_any(w, cell, n, affine, job->in, job->n_rows, job->out);
}

static int apply(const dg_cells *c, const dg_form *f, const double *u, int64_t n_rows, double *y)
{
    work w;
    task job = {.in = u, .out = y, .n_rows = n_rows};
    if (!choose_element(c, f)) return DG_BAD_KIND;
    if (work_init(&w, c, f, f->kind == DG_MASS)) return DG_NO_MEMORY;
    for_batches(&w, &job, apply_some, 0, c->n_cells, !f->point_factor && !f->tangents, NULL);
    work_free(&w);
    return DG_OK;
}

static void diagonal_some(work *w, const task *job, const int64_t *cell, int n, int affine)
{
    const int64_t kf = w->c->n_field, nb = w->f->n_components * w->f->n_components;
    const double *ke = (const double *)w->ke;
    job->element(w, cell, affine, 1);
    for (int l = 0; l < n; l++)
        for (int64_t a = 0; a < kf; a++) {
            const int64_t row = w->c->field[cell[l] * kf + a];
            if (row < job->n_rows)
                for (int64_t i = 0; i < nb; i++) job->out[row * nb + i] += ke[(a * nb + i) * W + l];
        }
}

static int diagonal(const dg_cells *c, const dg_form *f, int64_t n_rows, double *blocks)
{
    work w;
    task job = {.element = choose_element(c, f), .out = blocks, .n_rows = n_rows};
    if (!job.element) return DG_BAD_KIND;
    if (work_init(&w, c, f, 0)) return DG_NO_MEMORY;
    for_batches(&w, &job, diagonal_some, 0, c->n_cells, !f->point_factor && !f->tangents, NULL);
    work_free(&w);
    return DG_OK;
}

static void gradients_some(work *w, const task *job, const int64_t *cell, int n, int affine)
{
    (void)affine;
    if (w->c->dim == 3)
        gradients_batch(w, cell, n, job->nc, job->in, job->out, job->measure, 3);
    else
        gradients_batch(w, cell, n, job->nc, job->in, job->out, job->measure, 2);
}

static int gradients(const dg_cells *c, int64_t nc, const double *u, double *out, double *measure)
{
    work w;
    task job = {.in = u, .out = out, .measure = measure, .nc = nc};
    if (work_init(&w, c, NULL, 0)) return DG_NO_MEMORY;
    for_batches(&w, &job, gradients_some, 0, c->n_cells, 0, NULL);
    work_free(&w);
    return DG_OK;
}

static void force_some(work *w, const task *job, const int64_t *cell, int n, int affine)
{
    (void)affine;
    if (w->c->dim == 3)
        force_batch(w, cell, n, job->in, job->n_rows, job->out, 3);
    else
        force_batch(w, cell, n, job->in, job->n_rows, job->out, 2);
}

static int internal_force(const dg_cells *c, const double *stress, int64_t n_rows, double *force)
{
    work w;
    task job = {.in = stress, .out = force, .n_rows = n_rows};
    if (work_init(&w, c, NULL, 0)) return DG_NO_MEMORY;
    for_batches(&w, &job, force_some, 0, c->n_cells, 0, NULL);
    work_free(&w);
    return DG_OK;
}

/* A cell is affine where the part of its coordinates that makes the Jacobian vary, `deviation` (n, kg) times the
 * coordinates, is at most `tolerance` times the Jacobian. */
static int classify(const dg_cells *c, const double *deviation, int64_t n_deviation, double tolerance, uint8_t *affine)
{
    const int64_t kg = c->n_geometry, dim = c->dim;
    for (int64_t cell = 0; cell < c->n_cells; cell++) {
        const int32_t *nodes = c->geometry + cell * kg;
        double x[32 * 3], jac[9] = {0}, largest = 0.0, worst = 0.0;
        for (int64_t a = 0; a < kg; a++) /* from the first node, against rounding far from the origin */
            for (int64_t k = 0; k < dim; k++)
                x[a * dim + k] = c->points[nodes[a] * dim + k] - c->points[nodes[0] * dim + k];
        for (int64_t a = 0; a < kg; a++)
            for (int64_t i = 0; i < dim * dim; i++) jac[i] += x[a * dim + i / dim] * c->affine_geometry[a * dim + i % dim];
        for (int64_t i = 0; i < dim * dim; i++) largest = __builtin_fmax(largest, __builtin_fabs(jac[i]));
        for (int64_t n = 0; n < n_deviation; n++)
            for (int64_t k = 0; k < dim; k++) {
                double sum = 0.0;
                for (int64_t a = 0; a < kg; a++) sum += deviation[n * kg + a] * x[a * dim + k];
                worst = __builtin_fmax(worst, __builtin_fabs(sum));
            }
        affine[cell] = worst <= tolerance * largest;
    }
    return DG_OK;
}

#define DG_STRING_(x) #x
#define DG_STRING(x) DG_STRING_(x)
#define DG_SYMBOL_(x) dg_kernels_##x
#define DG_SYMBOL(x) DG_SYMBOL_(x)

const dg_kernels DG_SYMBOL(DG_NAME) = {
    .name = DG_STRING(DG_NAME),
    .width = DG_WIDTH,
    .assemble = assemble,
    .apply = apply,
    .diagonal = diagonal,
    .gradients = gradients,
    .internal_force = internal_force,
    .classify = classify,
    .single_lanes = SINGLE_LANES,
    .double_lanes = DOUBLE_LANES,
    .prepare_single = prepare_float,
    .prepare_double = prepare_double,
    .product_single = product_float,
    .product_double = product_double,
    .smooth = smooth,
    .invert_blocks = invert_blocks,
};
