"""The selection problem and its solvers."""
