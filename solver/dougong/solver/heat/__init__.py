"""Heat conduction over time: capacity, time steps, history."""
