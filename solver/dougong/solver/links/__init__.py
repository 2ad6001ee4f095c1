"""What links unknowns beyond the cells: equations, couplings, ties, springs and masses; and how they are eliminated."""
