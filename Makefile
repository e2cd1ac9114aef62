# `make quickstart` is the whole path on a small scale; `make test` is what must be green. Both make their environment first.

# The first Python that is new enough; `make PYTHON=/path/to/python3.12 …` to choose.
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$each; break; }; done)
BIN := .venv/bin
READY := .venv/.ready
SHARED = $(or $(MIXC_SHARED),../shared/data)
PYTEST_ARGS ?= -q -rs -m "not gpu"

.PHONY: help env student embedder corpus shared editors quickstart gsm8k lint test bench clean

help:
	@echo 'make quickstart  environment, student and corpus, then mixc build specs/quickstart.mix'
	@echo 'make gsm8k       the same on real responses (needs $(SHARED))'
	@echo 'make test        environment, ruff, pyright, all tests but those for a GPU (vLLM is in the environment on Linux x86-64)'
	@echo 'make lint        ruff and pyright alone'
	@echo 'make bench       the benchmarks'
	@echo 'make env         the environment alone, in .venv'
	@echo 'make student     the weights of SmolLM2-135M, in models/'
	@echo 'make embedder    the sentence-embedding model all-MiniLM-L6-v2, in models/'
	@echo 'make corpus      the corpus of the quickstart, in data/quickstart/'
	@echo 'make shared      data/shared, a link to the real responses (MIXC_SHARED or ../shared/data)'
	@echo 'make editors     the packages that test and pack the VS Code extension (needs npm)'
	@echo 'make clean       removes builds and caches; the environment, the weights and the scores stay'

env: $(READY)

# The pins first, without resolving anything, which takes seconds; then what they leave open on this platform.
$(READY): constraints.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo 'mixc needs Python 3.11 or newer: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mixc needs Python 3.11 or newer, this is " + sys.version)'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -c constraints.txt -e '.[train,lsp,dev]'
	$(BIN)/python -m compileall -q cli compiler grammar runtime
	@touch $@

student: $(READY)
	@$(BIN)/python scripts/fetch_student.py

embedder: $(READY)
	@$(BIN)/python scripts/fetch_embedder.py

corpus: $(READY)
	@$(BIN)/python specs/quickstart/make_corpus.py

shared:
	@test -e '$(SHARED)/teachers.parquet' || { echo 'no teachers.parquet in $(SHARED): set MIXC_SHARED to its folder' >&2; exit 1; }
	@mkdir -p data
	@ln -sfn "$$(cd '$(SHARED)' && pwd -P)" data/shared

EDITORS := editors/vscode/node_modules/.package-lock.json

editors: $(EDITORS)

$(EDITORS): editors/vscode/package-lock.json
	@command -v npm >/dev/null || { echo 'npm is needed to test and pack the VS Code extension: install Node 20 or newer' >&2; exit 1; }
	cd editors/vscode && npm ci --no-fund --no-audit --loglevel=error

quickstart: student corpus
	$(BIN)/mixc build specs/quickstart.mix

gsm8k: student shared
	$(BIN)/mixc build specs/gsm8k.mix

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/pyright

test: lint student embedder corpus
	@test ! -e '$(SHARED)/teachers.parquet' || $(MAKE) --no-print-directory shared
	@! command -v npm >/dev/null || $(MAKE) --no-print-directory editors
	$(BIN)/python -m pytest $(PYTEST_ARGS)

bench: student embedder corpus shared
	@for each in benchmarks/*.py; do echo "$$each"; $(BIN)/python "$$each" || exit 1; done

clean:
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache
	find cli compiler grammar runtime tests specs scripts benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
