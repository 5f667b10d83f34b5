# `make` lists what there is. Everything runs in .venv, which `make setup` fills when it has to.

PYTHON ?= python3
TENANT ?= demo
HOURS ?= 12
IN_VENV := .venv/bin/python -m
READY := .venv/.ready
REQUIREMENTS := requirements.txt infra/local/requirements.txt tests/requirements.txt

unexport PYTHONPATH

.PHONY: help setup check fix test prove run token month openapi vendor screenshots bench clean

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## make the virtual environment

check: $(READY) ## lint, format and types; changes nothing
	$(IN_VENV) ruff check .
	$(IN_VENV) ruff format --check .
	$(IN_VENV) mypy

fix: $(READY) ## repair what the linter and the formatter can
	$(IN_VENV) ruff check --fix .
	$(IN_VENV) ruff format .

test: $(READY) ## all tests
	$(IN_VENV) pytest

prove: export PROOF := full
prove: $(READY) ## the promises, attacked at full count
	$(IN_VENV) pytest tests/proofs

run: $(READY) ## everything on this machine; PORT=8090 elsewhere, KEEP=1 keeps its data
	@$(IN_VENV) infra.local.stack

token: $(READY) ## a token for make run: TENANT=acme, OPERATOR=1, HOURS=12
	@$(IN_VENV) infra.local.token --tenant='$(TENANT)' --hours='$(HOURS)' $(if $(OPERATOR),--operator)

month: $(READY) ## a bad month on the stack of make run, in seconds
	@$(IN_VENV) infra.local.month

openapi: $(READY) ## write functions/openapi/openapi.json anew from the routes
	$(IN_VENV) infra.openapi

vendor: $(READY) ## fetch the console's pinned libraries anew from npm
	$(IN_VENV) infra.vendor

screenshots: export SCREENSHOTS := .local/screenshots
screenshots: $(READY) ## pictures of every view of the console, in .local/screenshots
	$(IN_VENV) pytest tests/console --quiet

bench: $(READY) ## the benchmarks
	$(IN_VENV) tests.benchmarks

clean: ## remove all that make made: .venv, .local with its kept data, caches
	rm -rf .venv .local .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): $(REQUIREMENTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo 'Python 3.11 or newer is needed as python3, or as make PYTHON=…' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo 'Python cannot make virtual environments yet: apt install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(IN_VENV) pip install --quiet --disable-pip-version-check $(REQUIREMENTS:%=-r %)
	@touch $@
