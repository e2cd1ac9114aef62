"""Whether clauses can hold over a table of any size: refuted by prices, held by a mixture of selections, or not known."""
