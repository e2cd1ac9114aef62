"""Soft targets at any size: the least shortfall from a small program, its counts as floors for the prices, and the proof of both."""
