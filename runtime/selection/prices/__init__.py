"""Selection at any size: prices of the clauses from a sample, a few streaming passes over the table, an integral repair, and a proof."""
