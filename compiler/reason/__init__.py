"""What can be proven of a spec without a row: conditions that exclude or imply one another. Incomplete, but never wrong."""
