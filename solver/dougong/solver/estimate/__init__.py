"""What a job will cost: unknowns, memory, time."""
