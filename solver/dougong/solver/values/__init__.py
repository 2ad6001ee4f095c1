"""Numbers that vary: formulas, tables, and their values on a model."""
