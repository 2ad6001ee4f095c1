"""Jobs: the state model, their rows, who runs when, and who watches."""
