"""The language server: the protocol of editors over the questions of `compiler.ide`. Needs the extra `lsp`; imported by its verb alone."""
