/* Element matrices of a batch into the sparse matrix, with constraints. */
#ifndef DOUGONG_SCATTER_H
#define DOUGONG_SCATTER_H

#include "geometry.h"

/* Places of the blocks of a chunk of cells in their rows.
 *
 * Searching each of the kf^2 columns of a cell in its row costs more than computing the element matrix. Instead the
 * cells of a chunk are listed by row; for each row once, `mark[column]` is set to the column's place, and all cells of the
 * chunk in that row read it. */
typedef struct {
    int64_t first, size; /* cells of the chunk: first .. first + size - 1 */
    int64_t capacity;
    int32_t *mark;       /* (n_nodes) place of a column in the current row */
    int32_t *head;       /* (n_nodes) first entry of a row's list, -1 = none */
    int32_t *next;       /* (capacity, kf) */
    int32_t *rows;       /* (capacity * kf) rows met */
    int32_t *place;      /* (capacity, kf, kf); -1 where the block is not stored */
    void *memory;
} chunk;

/* Places of a chunk should stay in the second-level cache. */
enum { CHUNK_PLACES = 32768, CHUNK_CELLS = 1024 };

static int chunk_init(chunk *k, const dg_target *t, int64_t kf)
{
    int64_t capacity = CHUNK_PLACES / (kf * kf);
    capacity = capacity > CHUNK_CELLS ? CHUNK_CELLS : capacity < 4 * W ? 4 * W : capacity;
    const int64_t entries = capacity * kf;
    memset(k, 0, sizeof *k);
    k->capacity = capacity;
    k->memory = calloc((size_t)(2 * t->n_nodes + entries * (2 + kf)), sizeof(int32_t));
    if (!k->memory) return DG_NO_MEMORY;
    k->mark = k->memory;
    k->head = k->mark + t->n_nodes;
    k->next = k->head + t->n_nodes;
    k->rows = k->next + entries;
    k->place = k->rows + entries;
    for (int64_t n = 0; n < t->n_nodes; n++) k->head[n] = -1;
    return DG_OK;
}

static void chunk_free(chunk *k) { free(k->memory); }

static int chunk_places(chunk *k, const dg_target *t, const int32_t *field, int64_t kf)
{
    int64_t n_rows = 0;
    int wrong = 0;
    for (int64_t e = 0; e < k->size * kf; e++) {
        const int32_t row = field[k->first * kf + e];
        if (row >= t->n_rows) {
            for (int64_t b = 0; b < kf; b++) k->place[e * kf + b] = -1;
            continue;
        }
        if (k->head[row] < 0) k->rows[n_rows++] = row;
        k->next[e] = k->head[row];
        k->head[row] = (int32_t)e;
    }
    for (int64_t i = 0; i < n_rows; i++) {
        const int32_t row = k->rows[i];
        const int32_t *columns = t->indices + t->indptr[row];
        const int32_t n = (int32_t)(t->indptr[row + 1] - t->indptr[row]);
        wrong |= n == 0;
        for (int32_t j = 0; j < n; j++) k->mark[columns[j]] = j;
        for (int32_t e = n ? k->head[row] : -1; e >= 0; e = k->next[e]) {
            const int32_t *nodes = field + (k->first + e / kf) * kf;
            int32_t *place = k->place + e * kf;
            for (int64_t b = 0; b < kf; b++) {
                const int32_t j = k->mark[nodes[b]], inside = j < n ? j : 0; /* mark may be another row's */
                const int stored = !t->upper_only || nodes[b] >= row;
                wrong |= stored & (columns[inside] != nodes[b]);
                place[b] = stored ? inside : -1;
            }
        }
        k->head[row] = -1;
    }
    return wrong ? DG_NOT_IN_PATTERN : DG_OK;
}

/* Lanes to be added, with what is needed of them. */
typedef struct {
    int n;
    int lane[W];
    int ahead[W];            /* whether the chunk has a cell W further on: its blocks are fetched in time */
    const int32_t *place[W]; /* (kf, kf) */
    const int32_t *nodes[W]; /* (kf) */
} lanes;

INLINE void fetch_ahead(const lanes *s, const dg_target *t, int m, int64_t kf, int64_t a, const int nb)
{
    if (!s->ahead[m]) return;
    const int32_t row = s->nodes[m][W * kf + a];
    if (row >= t->n_rows) return;
    const double *values = t->values + t->indptr[row] * nb;
    const int32_t *place = s->place[m] + (W * kf + a) * kf;
    for (int64_t b = 0; b < kf; b++)
        if (place[b] >= 0) __builtin_prefetch(values + (int64_t)place[b] * nb, 1);
}

/* Row by row: the blocks of a row are brought from vectors over lanes to one lane after the other, then added. */
INLINE void add_lanes(const work *w, const dg_target *t, const lanes *s, const int nc)
{
    const int64_t kf = w->c->n_field;
    const int nb = nc * nc;
    for (int64_t a = 0; a < kf; a++) {
        const int32_t *source = w->source + a * w->padded;
        for (int64_t r = 0; r < w->padded; r += W) {
            vd tile[W];
            for (int i = 0; i < W; i++) tile[i] = w->ke[source[r + i]];
            transpose(tile);
            for (int l = 0; l < W; l++) w->rows[(l * w->padded + r) / W] = tile[l];
        }
        for (int m = 0; m < s->n; m++) {
            const int32_t row = s->nodes[m][a], *place = s->place[m] + a * kf;
            fetch_ahead(s, t, m, kf, a, nb);
            if (row >= t->n_rows) continue;
            const double *in = (const double *)w->rows + s->lane[m] * w->padded;
            double *values = t->values + t->indptr[row] * nb;
            for (int64_t b = 0; b < kf; b++)
                if (place[b] >= 0) add_to(values + (int64_t)place[b] * nb, in + b * nb, nb);
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
static void add_constrained(work *w, const dg_target *t, const int32_t *nodes, const int32_t *place, int lane)
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
            if (!t->values || place[a * kf + b] < 0) continue;
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
            double *out = t->values + (t->indptr[nodes[a]] + place[a * kf + b]) * nb;
            for (int i = 0; i < nb; i++) out[i] += block[i];
        }
        double s = 0.0;
        if (pa) {
            const double *k = w->block + (a * kf + a) * nb;
            for (int i = 0; i < nc; i++) s += k[i * nc + i] / nc;
            if (t->values) {
                double *out = t->values + (t->indptr[nodes[a]] + place[a * kf + a]) * nb;
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

/* Add the first n lanes. `k` is not used where there are no values. */
static void scatter(work *w, const dg_target *t, const chunk *k, const int64_t *cell, int n)
{
    const int64_t kf = w->c->n_field;
    lanes plain = {.n = 0};
    for (int l = 0; l < n; l++) {
        const int32_t *nodes = w->c->field + cell[l] * kf;
        const int32_t *place = k->place + (cell[l] - k->first) * kf * kf;
        if (is_constrained(t, nodes, kf)) {
            add_constrained(w, t, nodes, place, l);
            continue;
        }
        plain.lane[plain.n] = l;
        plain.ahead[plain.n] = cell[l] + W < k->first + k->size;
        plain.place[plain.n] = place;
        plain.nodes[plain.n++] = nodes;
    }
    if (!t->values || !plain.n) return;
    if (w->f->n_components == 3)
        add_lanes(w, t, &plain, 3);
    else if (w->f->n_components == 2)
        add_lanes(w, t, &plain, 2);
    else
        add_lanes(w, t, &plain, 1);
}

#endif
