.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
PY := .venv/bin/python
# The tests start a hundred processes; each would compile the whole program anew.
unexport PYTHONDONTWRITEBYTECODE
# The virtual environment is named by path each time, so that a folder with spaces works.

.PHONY: help demo run certify-op lint check test journeys bench faults fuzz migrate docs vendor lock clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/ /' | awk '{printf "  %-10s", $$1; $$1=""; print}'

.venv/demo-ready: requirements/demo.txt pyproject.toml
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/demo.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/test-ready: requirements/test.txt pyproject.toml
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ .venv/demo-ready

.venv/node-ready: .venv/test-ready tests/node/package-lock.json
	@PATH="$(CURDIR)/.venv/bin:$$PATH" npm ci --prefix tests/node --silent --no-audit --no-fund --ignore-scripts
	@touch $@

# atheris has no wheel for every Python; without it the fuzzers change bytes by chance.
.venv/fuzz-ready: .venv/test-ready requirements/fuzz.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
	  -r requirements/fuzz.txt || echo "atheris has no wheel for this Python: no coverage is followed"
	@touch $@

demo: .venv/demo-ready ## The provider, two apps and an API, on this machine
	@exec $(PY) -m client_demo.run

run: .venv/demo-ready ## The provider alone, on SQLite
	@$(PY) -m idp.cli migrate && exec $(PY) -m idp.cli serve

certify-op: .venv/demo-ready ## The provider on https as the OpenID certification wants it
	@exec $(PY) -m certify

lint: .venv/test-ready ## Format, lint, types, floors
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports

check: lint ## The same, and the fast tests
	@$(PY) -m pytest -q -n 3 -m "not slow and not journey"

test: .venv/node-ready .venv/fuzz-ready ## Everything: SQLite, PostgreSQL, Redis, Chromium, Node, Apache
	@$(PY) -m pytest -q -n 3 -m "not slow and not journey"
	@$(PY) -m pytest -q -m journey
	@$(PY) -m pytest -q -n 2 tests/conformance -m slow
	@$(PY) -m pytest -q --ignore tests/conformance -m slow

journeys: .venv/node-ready ## The journeys only: Chromium, Node, Apache
	@$(PY) -m pytest -m journey

SECONDS ?= 150

bench: .venv/test-ready ## What flows, guards and sign-outs cost, against budgets; SECONDS=, JSON=
	@kept=0; \
	$(PY) -m bench --seconds $(SECONDS) $(if $(JSON),--json "$(JSON)") || kept=1; \
	$(PY) -m bench.guard || kept=1; \
	$(PY) -m bench.signout || kept=1; \
	$(PY) -m bench.signout --redis || kept=1; \
	exit $$kept

MINUTES ?= 1
SEED ?= 1
VOLUME ?= 0
BURSTS ?= 0

faults: .venv/test-ready ## What is promised, while things are killed; MINUTES=, VOLUME=, BURSTS=
	@$(PY) -m tests.faults --minutes $(MINUTES) --volume $(VOLUME) --bursts $(BURSTS) --seed $(SEED) $(if $(STRICT),--strict)

fuzz: .venv/fuzz-ready ## What reads what strangers send, each reader for SECONDS=
	@$(PY) -m tests.fuzz --seconds $(SECONDS)

migrate: .venv/demo-ready ## Bring the database to the newest shape
	@$(PY) -m idp.cli migrate

docs: .venv/test-ready ## The pages that are read off the code
	@$(PY) docs/generate.py

CHART := client_demo/static/vendor/chart.js

vendor: .venv/node-ready ## Copy the lab's chart library from npm, with its licence and hashes
	@cp tests/node/node_modules/chart.js/dist/chart.umd.min.js tests/node/node_modules/chart.js/LICENSE.md $(CHART)/
	@cd $(CHART) && sha256sum LICENSE.md chart.umd.min.js > SHA256SUMS

lock: .venv/test-ready ## Pin every dependency anew, with hashes
	@$(PY) -m piptools compile -q --generate-hashes --allow-unsafe --strip-extras --no-header --extra build --extra server --extra postgres --extra demo --extra test --extra dev -o requirements/test.txt pyproject.toml
	@$(PY) -m piptools compile -q --generate-hashes --allow-unsafe --strip-extras --no-header --extra build --extra server --extra demo -o requirements/demo.txt pyproject.toml
	@$(PY) -m piptools compile -q --generate-hashes --allow-unsafe --strip-extras --no-header --extra build --extra server --extra postgres --extra redis -o requirements/server.txt pyproject.toml

clean: ## Remove what was made here
	@rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
