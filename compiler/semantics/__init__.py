"""AST to typed intermediate representation: names, types, units, lints."""
