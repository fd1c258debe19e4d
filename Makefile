# Every target does its own set-up: Python 3.11 or newer and make are all that it needs.
# PYTHON: the interpreter that makes the virtual environment. VENV: where that is.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_SECONDS ?=
DEMO_STATIONS ?= 24
DEMO_SEED ?= 7
DEMO_DATA ?= demo-data
ifndef FUZZ_SEED
FUZZ_SEED := $(shell date +%s)
endif
FUZZ_TIMES ?= 10
TORTURE_RESULTS ?= torture-results
KILL_SEEDS ?= 1-12,21-32
KILL_RESULTS ?=
SCREENSHOTS ?= docs/screenshots
BENCH ?=
PYTEST := $(BIN)/python -m pytest

# Tests start hundreds of processes: what they import is compiled once, also where the surroundings say otherwise.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help

.PHONY: help
help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.e2e: requirements-e2e.lock $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-e2e.lock
	@touch $@

.PHONY: setup
setup: $(VENV)/.dev ## the virtual environment with everything, hashes checked

.PHONY: demo
demo: $(VENV)/.runtime ## bridge, mock hubs and a fleet, live in the terminal (DEMO_SECONDS=40 ends by itself)
	@$(BIN)/ocpp-sim demo --data $(DEMO_DATA) --stations $(DEMO_STATIONS) --seed $(DEMO_SEED) $(if $(DEMO_SECONDS),--seconds $(DEMO_SECONDS))

.PHONY: test
test: unit integration hardware-check acceptance containers torture-short kills fuzz-short ## every test, under 25 minutes on 2 cores

.PHONY: unit
unit: $(VENV)/.dev ## pure decisions (budget 60 s)
	$(PYTEST) tests/unit tests/architecture -q -n 2 --dist worksteal

.PHONY: integration
integration: $(VENV)/.dev ## store, lanes and sockets on SQLite and PostgreSQL (budget 400 s)
	$(PYTEST) tests/integration -q -n 2 --dist worksteal

.PHONY: hardware
hardware: $(VENV)/.dev ## what real charging hardware does, on the wire; writes the table of docs/hardware.md
	HARDWARE_TABLE=write $(PYTEST) tests/hardware -q

.PHONY: hardware-check
hardware-check: $(VENV)/.dev ## the same, and the table must be what is measured (budget 60 s)
	$(PYTEST) tests/hardware -q

.PHONY: acceptance
acceptance: $(VENV)/.dev ## the product as users run it, real processes (budget 300 s)
	$(PYTEST) tests/acceptance -q -n 3 --dist worksteal

.PHONY: e2e
e2e: $(VENV)/.e2e ## the dashboard in a real browser; writes docs/screenshots (budget 240 s; SCREENSHOTS=FOLDER puts them there)
	tests/e2e/install_chromium.sh
	E2E=required SCREENSHOTS=$(SCREENSHOTS) $(PYTEST) tests/e2e -q -n 2 --dist worksteal

.PHONY: containers
containers: $(VENV)/.dev ## every command of Dockerfile and docker-compose.yml, without an engine (budget 90 s)
	$(PYTEST) tests/containers -q -n 2 --dist loadgroup

.PHONY: kills
kills: $(VENV)/.dev ## kill -9 in the middle of everything (budget 120 s; KILL_SEEDS=1-1000 runs those seeds, KILL_RESULTS=FILE goes on)
	KILL_SEEDS=$(KILL_SEEDS) $(PYTEST) tests/torture/kills -q -m kill -n 2 --dist worksteal \
		$(if $(KILL_RESULTS),--catalogue-results $(KILL_RESULTS))

.PHONY: fuzz-short
fuzz-short: $(VENV)/.dev ## hostile frames and bytes, the same each time (budget 60 s)
	$(PYTEST) tests/fuzz -q -n 2 --dist worksteal

.PHONY: fuzz
fuzz: $(VENV)/.dev ## hostile frames and bytes for minutes, new each time (FUZZ_SEED=n replays, FUZZ_TIMES=10 as long)
	@echo "FUZZ_SEED=$(FUZZ_SEED) FUZZ_TIMES=$(FUZZ_TIMES)"
	FUZZ_SEED=$(FUZZ_SEED) FUZZ_TIMES=$(FUZZ_TIMES) $(PYTEST) tests/fuzz -q -n 2 --dist worksteal \
		--hypothesis-seed=$(FUZZ_SEED) -o timeout=3600

.PHONY: torture-short
torture-short: $(VENV)/.dev ## the rows of the torture catalogue that take seconds (budget 400 s)
	$(PYTEST) tests/torture -q -m "not kill" -n 3 --dist worksteal

.PHONY: torture
torture: $(VENV)/.dev ## the whole torture catalogue, hours; writes the table of docs/reliability.md (RESUME=1 goes on where it was)
	$(if $(RESUME),,rm -rf $(TORTURE_RESULTS))
	$(PYTEST) tests -q -m row --ignore tests/torture/kills/test_kill.py --long -n 2 --dist worksteal -o timeout=3600 \
		--catalogue-results $(TORTURE_RESULTS)/rows.jsonl
	$(MAKE) kills KILL_SEEDS=1-1000 KILL_RESULTS=$(TORTURE_RESULTS)/kills.jsonl
	$(BIN)/python -m tests.mutation.run --results $(TORTURE_RESULTS)/guards.jsonl
	$(BIN)/python -m tests.catalogue.table $(TORTURE_RESULTS)/*.jsonl

.PHONY: mutation
mutation: $(VENV)/.dev ## each guard switched off once: the torture catalogue must turn red
	$(BIN)/python -m tests.mutation.run --results $(TORTURE_RESULTS)/guards.jsonl

.PHONY: lint
lint: $(VENV)/.dev ## format, lint, types, import contracts, Dockerfile, compose file, systemd unit
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml ops/compose/hubs.yml
	@if command -v systemd-analyze > /dev/null; then $(MAKE) --no-print-directory lint-unit; \
		else echo "no systemd-analyze here: the unit is not verified"; fi

.PHONY: lint-unit
lint-unit: $(VENV)/.dev
	mkdir -p .build
	sed 's#/opt/ocpp-bridge/bin#$(abspath $(BIN))#' ops/systemd/ocpp-bridge.service > .build/ocpp-bridge.service
	systemd-analyze verify --man=no .build/ocpp-bridge.service

.PHONY: format
format: $(VENV)/.dev ## format everything
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

.PHONY: docs
docs: $(VENV)/.dev ## write docs/cli.md and docs/configuration.md from the code
	$(BIN)/python -m tests.documents.write

.PHONY: bench
bench: $(VENV)/.dev ## every figure of docs/performance.md beside its baselines, about half an hour (BENCH="status lag" runs some rows)
	$(BIN)/python -m tests.benchmarks $(BENCH)

.PHONY: lock
lock: $(BIN)/python ## resolve the dependencies anew into the lock files
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --group build -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --extra postgres --group build --group dev -c requirements.lock -o requirements-dev.lock
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --extra postgres --group build --group dev --group e2e -c requirements-dev.lock -o requirements-e2e.lock
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --extra postgres --extra otel -c requirements-dev.lock -o requirements-image.lock

.PHONY: clean
clean: ## remove the virtual environment and what runs left behind
	rm -rf $(VENV) $(DEMO_DATA) .mypy_cache .ruff_cache .hypothesis .import_linter_cache
