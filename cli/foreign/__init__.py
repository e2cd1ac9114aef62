"""Configurations of other trainers, read as starting specs."""
