# `make` lists what there is. Everything runs in .venv, which `make setup` fills when it has to.

PYTHON ?= python3
TENANT ?= demo
HOURS ?= 12
IN_VENV := .venv/bin/python -m
READY := .venv/.ready
REQUIREMENTS := requirements.txt infra/local/requirements.txt tests/requirements.txt
TOOLS := .local/tools
TERRAFORM ?= terraform
IN_CLOUD := $(TERRAFORM) -chdir=infra/terraform
WORKERS ?= 3
ENV ?=

# Without its bytecode every process would compile our modules anew: the tests start hundreds.
unexport PYTHONPATH PYTHONDONTWRITEBYTECODE

# `make -j deploy` would look at an older plan than the one that it applies.
.NOTPARALLEL:

.PHONY: help setup check fix test prove soak run token month openapi client vendor screenshots bench performance doctor package secrets plan \
	deploy destroy-check lock audit provider-schema clean

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## make the virtual environment

check: $(READY) ## lint, format and types; changes nothing
	$(IN_VENV) ruff check .
	$(IN_VENV) ruff format --check .
	$(IN_VENV) mypy

fix: $(READY) ## repair what the linter and the formatter can
	$(IN_VENV) ruff check --fix .
	$(IN_VENV) ruff format .

test: $(READY) ## all tests, in WORKERS=3 processes, which mostly wait
	$(IN_VENV) pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder

prove: export PROOF := full
prove: export SECONDS ?= 180
prove: $(READY) ## the promises and the console at full count, the example, and a soak of SECONDS=180
	$(IN_VENV) pytest tests/proofs tests/console tests/examples
	$(IN_VENV) tests.proofs.soak

soak: $(READY) ## everything at once while all of it breaks, for SECONDS=900; SEED=1 as before
	$(IN_VENV) tests.proofs.soak

run: $(READY) ## everything on this machine; PORT=8090 elsewhere, KEEP=1 keeps its data
	@$(IN_VENV) infra.local.stack

token: $(READY) ## a token for make run: TENANT=acme, OPERATOR=1, HOURS=12
	@$(IN_VENV) infra.local.token --tenant='$(TENANT)' --hours='$(HOURS)' $(if $(OPERATOR),--operator)

month: $(READY) ## a bad month on the stack of make run, in seconds
	@$(IN_VENV) infra.local.month

openapi: $(READY) ## write functions/openapi/openapi.json anew from the routes
	$(IN_VENV) infra.openapi

client: ## write the TypeScript client anew from functions/openapi/openapi.json
	cd infra/clients/typescript && npm ci --ignore-scripts --no-audit --no-fund && npm run generate

vendor: $(READY) ## fetch the console's pinned libraries anew from npm
	$(IN_VENV) infra.vendor

screenshots: export SCREENSHOTS := .local/screenshots
screenshots: $(READY) ## pictures of every view of the console, in .local/screenshots
	$(IN_VENV) pytest tests/console --quiet

bench: $(READY) ## the benchmarks, in minutes; FULL=1 for longer
	$(IN_VENV) tests.benchmarks

performance: $(READY) ## publish what was measured last: infra/docs/performance.md
	$(IN_VENV) tests.benchmarks.page --take

doctor: $(READY) ## what is wrong with a deployment, and what to do: ENV=.env.production
	@$(IN_VENV) infra.doctor $(if $(ENV),--env='$(ENV)')

package: $(READY) ## dist/perene.zip, as it is deployed
	@$(IN_VENV) infra.package

secrets: $(READY) ## ask for the values of secrets that have none yet
	$(IN_CLOUD) apply -target=google_secret_manager_secret.setting
	@project="$$(echo var.project | $(IN_CLOUD) console | tr -d '"')"; \
		[ -n "$$project" ] || { echo 'Terraform does not say which project: is it in terraform.tfvars?' >&2; exit 1; }; \
		$(IN_VENV) infra.secrets --project="$$project"

plan: package ## what a deployment would change
	$(IN_CLOUD) plan -input=false -out=plan.out

deploy: plan destroy-check ## deploy what the plan says, if it loses nothing
	$(IN_CLOUD) apply -input=false plan.out

destroy-check: $(READY) ## whether the plan would delete what can't be made again
	@$(IN_CLOUD) show -json plan.out | $(IN_VENV) infra.losses

lock: $(TOOLS)/.ready ## write requirements.txt anew from infra/requirements.in
	@echo '# Made by `make lock` from infra/requirements.in: do not edit. Installed with its hashes checked.' > requirements.new
	$(TOOLS)/bin/uv pip compile --quiet --universal --python-version=3.11 --generate-hashes --no-header \
		infra/requirements.in >> requirements.new
	@mv requirements.new requirements.txt

audit: $(TOOLS)/.ready ## known vulnerabilities in what is deployed (asks the internet)
	$(TOOLS)/bin/pip-audit --disable-pip --require-hashes --requirement requirements.txt

provider-schema: $(TOOLS)/.ready ## write tests/infra/provider.json anew
	rm -rf $(TOOLS)/schema
	$(TOOLS)/bin/python -m pip install --quiet --no-deps --target=$(TOOLS)/schema pulumi-gcp==10.2.0
	$(TOOLS)/bin/python -m tests.infra.provider $(TOOLS)/schema/pulumi_gcp 'pulumi-gcp 10.2.0'

clean: ## remove all that make made: .venv, .local with its kept data, dist, caches
	rm -rf .venv .local dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): $(REQUIREMENTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo 'Python 3.11 or newer is needed as python3, or as make PYTHON=…' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo 'Python cannot make virtual environments yet: apt install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(IN_VENV) pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(IN_VENV) pip install --quiet --disable-pip-version-check -r infra/local/requirements.txt -r tests/requirements.txt
	@touch $@

$(TOOLS)/.ready: Makefile
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check uv==0.13.9 pip-audit==2.10.1
	@touch $@
