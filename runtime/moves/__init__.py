"""Two builds of a recipe: which rows moved between their selections, and why, from the two ledgers."""
