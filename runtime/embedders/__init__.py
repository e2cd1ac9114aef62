"""Sentence-embedding models as sentence-transformers writes them, read and asked without that package."""
