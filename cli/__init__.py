"""The plan and the run, shown to people."""
