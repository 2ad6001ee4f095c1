/* The interface between Python (ctypes, loader.py) and C. Every array is C-contiguous and was checked by the Python
 * side: shapes, and index ranges. All reals are double, "nq" is the number of quadrature points. */
#ifndef DOUGONG_KERNELS_H
#define DOUGONG_KERNELS_H

#include <stdint.h>

/* Cells of one type, with the tabulated reference gradients of geometry and field. */
typedef struct {
    int64_t n_cells;
    int64_t dim;              /* 2 or 3 */
    int64_t n_geometry;       /* geometry nodes of a cell, kg */
    int64_t n_field;          /* field nodes of a cell, kf */
    int64_t n_points;         /* quadrature points, nq */
    int64_t n_modes;          /* terms of the affine form, see cells.py */
    const double *points;     /* (n_nodes, dim) */
    const int32_t *geometry;  /* (n_cells, kg) */
    const int32_t *field;     /* (n_cells, kf) */
    const double *geometry_gradients; /* (nq, kg, dim) */
    const double *gradients;          /* (nq, kf, dim) */
    const double *shapes;             /* (nq, kf) or NULL */
    const double *weights;            /* (nq) */
    const double *affine_geometry;    /* (kg, dim) */
    const double *affine_gradients;   /* (n_modes, kf, dim) */
    const double *affine_weights;     /* (n_modes) */
    const double *affine_tensor;      /* (kf (kf + 1) / 2, dim, dim): pairs a <= b, row after row */
    const double *affine_mass;        /* (kf, kf) or NULL */
    const uint8_t *affine;            /* (n_cells), 1 where the Jacobian is constant */
} dg_cells;

/* Coefficients of a form. */
typedef struct {
    int64_t kind;               /* one of DG_... below */
    int64_t n_components;       /* components of the field, nc */
    const double *table;        /* one row per material; the columns depend on kind */
    const int32_t *index;       /* (n_cells) row of the table */
    const double *cell_factor;  /* (n_cells) or NULL */
    const double *point_factor; /* (n_cells, nq) or NULL */
    const double *tangents;     /* (n_cells, nq, columns) or NULL: instead of the table, not for DG_MASS */
} dg_form;

enum {
    DG_ISOTROPIC = 0, /* elasticity, (lambda, mu) */
    DG_ELASTIC = 1,   /* elasticity, upper triangle of the Voigt matrix, row after row: 21 or 6 */
    DG_DIFFUSION = 2, /* conductivity tensor (dim, dim) */
    DG_MASS = 3       /* density */
};

/* Where element matrices go. */
typedef struct {
    int64_t n_rows;          /* rows 0 .. n_rows - 1 are owned, other nodes are ghosts */
    int64_t n_nodes;         /* owned nodes and ghosts */
    int64_t upper_only;      /* store only columns >= row */
    const int64_t *indptr;   /* (n_rows + 1) */
    const int32_t *indices;  /* ascending in each row */
    double *values;          /* (nnz, nc, nc) or NULL: right-hand side only */
    const int32_t *constraint; /* (n_nodes) or NULL; -1 = free */
    const double *projectors;  /* (n_constraints, nc, nc) */
    const double *prescribed;  /* (n_constraints, nc) */
    double *rhs;               /* (n_rows, nc) or NULL */
} dg_target;

enum { DG_OK = 0, DG_NO_MEMORY = 1, DG_NOT_IN_PATTERN = 2, DG_BAD_KIND = 3 };

/* Cells of one type made ready for products, in batches of `lanes` cells side by side; the last batch is filled up with
 * cells without weight. Reals have the precision of the product; the arrays that are batched are aligned to 64 bytes. */
typedef struct {
    int64_t n_batches;
    int64_t dim;
    int64_t n_field;
    int64_t n_points;        /* quadrature points, or modes where affine */
    int64_t kind;            /* as in dg_form */
    int64_t affine;          /* the Jacobian is constant: once a cell, not once a point */
    int64_t by_point;        /* coefficients once a point, not once a cell */
    int64_t n_coefficients;
    double length;           /* what lengths and coefficients are divided by: single precision holds 1e-38 to 1e38 */
    double coefficient;
    const void *gradients;   /* (n_points, n_field, dim) */
    const void *weights;     /* (n_points): of the modes, or ones */
    int32_t *nodes;          /* (n_batches, n_field, lanes) */
    void *geometry;          /* (n_batches, 1 or n_points, dim dim + 1, lanes): inverse Jacobian and factor */
    void *coefficients;      /* (n_batches, 1 or n_points, n_coefficients, lanes) */
} dg_prepared;

/* One set of kernels, compiled for one instruction set. */
typedef struct {
    const char *name;
    int64_t width; /* cells computed at a time */
    int (*assemble)(const dg_cells *, const dg_form *, const dg_target *);
    int (*apply)(const dg_cells *, const dg_form *, const double *u, int64_t n_rows, double *y);
    int (*diagonal)(const dg_cells *, const dg_form *, int64_t n_rows, double *blocks);
    int (*gradients)(const dg_cells *, int64_t nc, const double *u, double *out, double *measure);
    int (*internal_force)(const dg_cells *, const double *stress, int64_t n_rows, double *force);
    int (*classify)(const dg_cells *, const double *deviation, int64_t n_deviation, double tolerance, uint8_t *affine);
    int64_t single_lanes, double_lanes; /* cells of a batch of dg_prepared */
    int (*prepare_single)(const dg_cells *, const dg_form *, const int64_t *cells, int64_t n, dg_prepared *);
    int (*prepare_double)(const dg_cells *, const dg_form *, const int64_t *cells, int64_t n, dg_prepared *);
    int (*product_single)(const dg_prepared *, const float *x, float *y);
    int (*product_double)(const dg_prepared *, const double *x, double *y);
    int (*smooth)(int64_t n, int64_t nc, const float *inverse, const float *b, const float *y, const float *x,
                  double alpha, double beta, float *p, float *out);
    int (*invert_blocks)(int64_t n, int64_t nc, const double *blocks, float *inverse);
} dg_kernels;

#endif
