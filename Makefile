# make demo · make test · make check — each sets up what it needs first.
PYTHON ?= python3
BIN := .venv/bin
DATA ?=
ARGS := $(if $(DATA),--data $(DATA))

.DEFAULT_GOAL := help
.PHONY: help setup demo up test drills lint check format lock dashboard chromium client bench-audit bench-predictions bench-noise bench-train bench-paper bench-api bench-load bench-ui bench-import fuzz corpora screenshots clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(BIN)/.project dashboard ## the virtual environment and the dashboard; starts nothing

$(BIN)/.constraints: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Noise Audit needs Python 3.11 or newer: make PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || { echo "This Python has no venv module (on Debian and Ubuntu: apt-get install python3-venv)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the pinned packages (PyTorch is the large one; a few minutes the first time) ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	@touch $@

$(BIN)/.project: $(BIN)/.constraints pyproject.toml frontend/build_hook.py
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

dashboard: $(BIN)/.project
	@$(BIN)/python frontend/build_hook.py

demo: setup ## audit a real built-in dataset and keep serving the dashboard
	@$(BIN)/noise-audit demo $(ARGS)

up: setup ## serve the dashboard with PostgreSQL and one worker
	@$(BIN)/noise-audit up $(ARGS)

chromium: setup
	@$(BIN)/python tests/e2e/chromium.py

test: setup chromium ## every test, the browser's included
	$(BIN)/python frontend/build_hook.py --test
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadgroup

drills: setup ## hit every promise of reliability as often as it must hold (hours); ARGS="--scale 0.01" for less
	$(BIN)/python -m tests.drills $(ARGS)

lint: setup ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python frontend/build_hook.py --check

check: lint ## the same, and the quick tests
	$(BIN)/python -m pytest -q -m "not slow" --ignore=tests/e2e

format: setup ## format the sources in place
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

LOCK = uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-annotate --no-header --quiet

lock: ## pin every package again (needs uv)
	$(LOCK) --extra worker --group dev --upgrade -o constraints.txt
	$(LOCK) -c constraints.txt -o constraints-backend.txt
	$(LOCK) -c constraints.txt --extra worker --group bench -o constraints-bench.txt

client: setup ## the dashboard's types from the OpenAPI document
	$(BIN)/python frontend/build_hook.py --client

$(BIN)/.bench: constraints-bench.txt | setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints-bench.txt
	@touch $@

bench-audit: setup $(BIN)/.bench ## ways to find wrong labels: ranking against seconds; DATA=folder with CIFAR-10 Parquet shards
	$(BIN)/python -m benchmarks.audit $(DATA)

bench-predictions: setup $(BIN)/.bench ## own predictions beside cleanlab; DATA=folder with out-of-fold predictions
	$(BIN)/python -m benchmarks.predictions $(DATA) --end-to-end

bench-noise: setup ## flags, noise rates and speed of the mixtures on real losses; DATA=folder with out-of-fold predictions
	$(BIN)/python -m benchmarks.noise $(DATA)

bench-train: setup ## images per second of every recipe beside the literal mode and the arithmetic floor
	$(BIN)/python -m benchmarks.train

bench-paper: setup ## the paper's CIFAR-10 table, resumable; DATA=folder with CIFAR-10 Parquet shards
	$(BIN)/python -m benchmarks.paper $(DATA)

bench-api: setup ## pages, figures and 100 reviewers on a run of a million samples, beside the plain query
	$(BIN)/python -m benchmarks.api --json benchmarks/results/api.json

bench-load: setup ## 100 reviewers and 10 live streams while a run trains and an import goes on, ten minutes
	$(BIN)/python -m benchmarks.load --json benchmarks/results/load.json $(ARGS)

bench-ui: setup chromium ## the dashboard in a browser on 50 000 to 1 000 000 samples, beside the plain way of each
	$(BIN)/python -m benchmarks.ui --json benchmarks/results/ui.json

bench-import: setup ## seconds and memory of an import, MB/s of an upload; DATA=folder with CIFAR-10 Parquet shards
	$(BIN)/python -m benchmarks.importing $(DATA) --json benchmarks/results/import.json

fuzz: setup ## every importer on damaged files, for minutes
	$(BIN)/python -m pytest -q tests/worker/ingest/test_hostile_bytes.py tests/worker/ingest/test_hostile_tables.py --hypothesis-profile=long --timeout=0

corpora: setup ## other people's malformed images, archives and Parquet files through the importers (fetches them)
	$(BIN)/python -m tests.corpora $(ARGS)

screenshots: setup chromium ## draw every screen again for docs/screens.md, from a real audit of the digits
	$(BIN)/python -m tests.e2e.screenshots

clean: ## remove what was built and installed here (no data)
	rm -rf .venv backend/dashboard frontend/node_modules .mypy_cache .ruff_cache .pytest_cache
