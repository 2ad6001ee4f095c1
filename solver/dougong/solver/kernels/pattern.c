/* Pattern of a sparse matrix over nodes: which nodes share a cell. */
#include "kernels.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    int64_t *start; /* (n_nodes + 1) */
    int32_t *cell;  /* cells of a node: cell[start[node]] .. cell[start[node + 1] - 1] */
} adjacency;

static int build_adjacency(adjacency *adj, const int32_t *cells, int64_t n_cells, int64_t k, int64_t n_nodes)
{
    adj->start = calloc((size_t)n_nodes + 2, sizeof(int64_t));
    adj->cell = malloc(((size_t)n_cells * (size_t)k + 1) * sizeof(int32_t));
    if (!adj->start || !adj->cell) return DG_NO_MEMORY;
    int64_t *fill = adj->start + 1; /* shifted by one, so that filling leaves the starts in place */
    for (int64_t i = 0; i < n_cells * k; i++) fill[cells[i] + 1]++;
    for (int64_t n = 0; n < n_nodes; n++) fill[n + 1] += fill[n];
    for (int64_t c = 0; c < n_cells; c++)
        for (int64_t a = 0; a < k; a++) adj->cell[fill[cells[c * k + a]]++] = (int32_t)c;
    return DG_OK;
}

/* Count (indices == NULL: into count[row + 1]) or fill the rows 0 .. n_rows - 1.
 *
 * Filling goes through the columns in ascending order and appends each to the rows it meets, so rows come out sorted
 * without sorting. `mark[node]` is the last column that met the node. */
static void visit(int64_t n_blocks, const adjacency *adj, const int32_t *const *cells, const int64_t *k, int64_t n_rows,
                  int64_t n_nodes, int64_t upper_only, int32_t *mark, int64_t *next, int32_t *indices)
{
    for (int64_t n = 0; n < n_nodes; n++) mark[n] = -1;
    for (int64_t column = 0; column < n_nodes; column++) {
        const int64_t last = upper_only && column < n_rows ? column + 1 : n_rows; /* rows below this one only */
        for (int64_t block = 0; block < n_blocks; block++) {
            const int64_t kb = k[block];
            for (int64_t i = adj[block].start[column]; i < adj[block].start[column + 1]; i++) {
                const int32_t *nodes = cells[block] + (int64_t)adj[block].cell[i] * kb;
                for (int64_t a = 0; a < kb; a++) {
                    const int32_t row = nodes[a];
                    if (mark[row] == (int32_t)column) continue;
                    mark[row] = (int32_t)column;
                    if (row >= last) continue;
                    if (indices) indices[next[row]] = (int32_t)column;
                    next[row]++;
                }
            }
        }
    }
}

/* Rows of the pattern. `indptr` (n_rows + 1) is filled; the column numbers are returned in memory of this library, to
 * be given back with dg_free. */
int dg_pattern(int64_t n_blocks, const int32_t *const *cells, const int64_t *n_cells, const int64_t *k, int64_t n_rows,
               int64_t n_nodes, int64_t upper_only, int64_t *indptr, int32_t **out)
{
    int status = DG_NO_MEMORY;
    adjacency *adj = calloc((size_t)n_blocks + 1, sizeof(adjacency));
    int32_t *mark = malloc(((size_t)n_nodes + 1) * sizeof(int32_t));
    int64_t *next = calloc((size_t)n_rows + 1, sizeof(int64_t));
    int32_t *indices = NULL;
    *out = NULL;
    if (!adj || !mark || !next) goto done;
    for (int64_t block = 0; block < n_blocks; block++)
        if (build_adjacency(&adj[block], cells[block], n_cells[block], k[block], n_nodes)) goto done;
    visit(n_blocks, adj, cells, k, n_rows, n_nodes, upper_only, mark, next, NULL);
    indptr[0] = 0;
    for (int64_t row = 0; row < n_rows; row++) {
        indptr[row + 1] = indptr[row] + next[row];
        next[row] = indptr[row];
    }
    indices = malloc(((size_t)indptr[n_rows] + 1) * sizeof(int32_t));
    if (!indices) goto done;
    visit(n_blocks, adj, cells, k, n_rows, n_nodes, upper_only, mark, next, indices);
    *out = indices;
    status = DG_OK;
done:
    for (int64_t block = 0; adj && block < n_blocks; block++) {
        free(adj[block].start);
        free(adj[block].cell);
    }
    free(adj);
    free(mark);
    free(next);
    return status;
}

void dg_free(void *memory) { free(memory); }
