"""What executors of batch systems have in common: one table a system, one executor for all of them."""
