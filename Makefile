# Everything a contributor does. A target does only what is not done yet: the environment is made
# anew when pyproject.toml changes, the front end when one of its sources does.

PYTHON ?= python3
BIN := .venv/bin
BUILT := errorstack_live/web/static/.vite/manifest.json
PACKED := errorstack_live/web/clients/clients.toml
SHIPPED := $(shell find clients \( -name tests -o -name node_modules -o -name __pycache__ \) -prune -o -type f -print)
SOURCES := $(shell find frontend -path frontend/node_modules -prune -o -type f -print)

.PHONY: help setup run test test-clients lint types format bench build clean chromium
.NOTPARALLEL:

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

setup: .venv/ready $(BUILT) $(PACKED) ## make the environment, build the front end, pack the clients

run: setup ## start the server; ARGS="--port 9000" adds options
	@$(BIN)/errorstack serve $(ARGS)

test: setup chromium lint types ## run every check and test there is
	scripts/npm run check
	scripts/npm test
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

test-clients: setup chromium ## install what the clients run on; run each against a real server
	scripts/client-toolchains
	cd clients/python && ../../$(BIN)/mypy
	$(BIN)/python -m pytest -c clients/pytest.ini clients $(ARGS)

lint: setup ## check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## check types
	$(BIN)/mypy

format: setup ## mend style and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## run the benchmarks; ARGS names some of them
	$(BIN)/python -m benchmarks $(ARGS)

build: setup ## build the wheel, with the front end in it, to dist/
	rm -rf dist
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

clean: ## remove everything that was made
	rm -rf .venv dist htmlcov .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf frontend/node_modules errorstack_live/web/static errorstack_live/web/clients .cache
	find . -name __pycache__ -prune -exec rm -rf {} +

chromium:
	@command -v chromium >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -q && apt-get install -qy --no-install-recommends chromium; \
	  else \
	    echo "*** NO CHROMIUM: the browser tests will be SKIPPED. Install chromium to run them. ***"; \
	  fi; }

.venv/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

frontend/node_modules/ready: frontend/package-lock.json | .venv/ready
	scripts/npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(BUILT): frontend/node_modules/ready $(SOURCES)
	scripts/npm run build
	@touch $@

$(PACKED): scripts/pack-clients $(SHIPPED) | .venv/ready
	$(BIN)/python scripts/pack-clients
	@touch $@
