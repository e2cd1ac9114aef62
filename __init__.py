"""mixc, a compiler for training data. The repository root is the package: `compiler`, `runtime` and `cli` live beside this file."""

__version__ = "0.1.0"
