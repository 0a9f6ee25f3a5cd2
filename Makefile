# Needs GNU make, a POSIX shell and Python 3.11 or newer; everything else goes into .venv/, at the locked versions.
#   make PYTHON=/path/to/python3.12 test     use this Python for .venv
#   make test ARGS='-k billing -n 0'         pass arguments on (test, test-world, scale, crash, fuzz, bench, demo)
#   make lock ARGS=--upgrade                 take newer releases of the dependencies

PYTHON ?= python3
ARGS ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
COMPILE := UV_CUSTOM_COMPILE_COMMAND='make lock' "$(CURDIR)/$(BIN)/uv" pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes pyproject.toml
# The development lock first; the other takes its versions from there. Both say "-o" what they also read: pins stay as
# they are as long as pyproject.toml allows them.
LOCK := $(COMPILE) $(ARGS) --group dev -o requirements-dev.lock >/dev/null && \
	$(COMPILE) --group build -c requirements-dev.lock -o requirements.lock >/dev/null

# Stamps: written last, so that an interrupted or failed installation is done again.
VENV := .venv/.made
RUN := .venv/.installed
DEV := .venv/.installed-dev

.DEFAULT_GOAL := help
.PHONY: help demo test test-world check bench scale fuzz crash fmt lock build clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(RUN) ## the whole path on sample data with the embedded gateway
	$(BIN)/mediasms demo $(ARGS)

test: $(DEV) ## run the tests and measure branch coverage
	@$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto --dist worksteal $(ARGS)
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

test-world: $(DEV) ## run the tests that need LibreOffice, Chromium, glibc iconv and npm
	$(BIN)/python -m pytest -m world -n auto --dist worksteal $(ARGS)

check: $(DEV) ## lint, formatting, types, import rules, fresh locks
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@echo "locks: compiling them again to compare"
	@tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && cp pyproject.toml requirements.lock requirements-dev.lock "$$tmp" && \
	( cd "$$tmp" && $(LOCK) ) && for lock in requirements.lock requirements-dev.lock; do \
		diff -u "$$lock" "$$tmp/$$lock" || { echo "error: $$lock does not match pyproject.toml; run: make lock" >&2; exit 1; }; \
	done

bench: $(DEV) ## run every benchmark (benchmarks/*.py); peers get an environment of their own
	@for script in benchmarks/*.py; do echo "bench: $$script"; $(BIN)/python "$$script" $(ARGS) || exit 1; done

scale: $(DEV) ## validate a million rows and compare every cell with the naive reference
	$(BIN)/python -m pytest -m scale -n auto $(ARGS)

fuzz: $(DEV) ## search for inputs that break the reader, for a bounded time (ARGS=--seconds=300)
	@[ -e .venv-fuzz/.installed ] || { "$(PYTHON)" -m venv --clear .venv-fuzz && \
		.venv-fuzz/bin/python -m pip --disable-pip-version-check -qq install --require-hashes -r requirements.lock && \
		.venv-fuzz/bin/python -m pip --disable-pip-version-check -qq install -r tests/fuzz/requirements.txt && touch .venv-fuzz/.installed; }
	.venv-fuzz/bin/python -m tests.fuzz.fuzz_reader $(ARGS)

crash: $(DEV) ## run the long crash tests
	$(BIN)/python -m pytest -m crash -n auto $(ARGS)

fmt: $(DEV) ## format the code and apply safe lint fixes
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

lock: $(DEV) ## compile requirements.lock and requirements-dev.lock from pyproject.toml
	$(LOCK)

build: $(DEV) ## build the sdist and the wheel into dist/
	$(BIN)/python -m build --no-isolation

clean: ## remove .venv, caches, build, coverage and demo output; never a workspace
	rm -rf .venv .venv-fuzz .venv-peers .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov dist build mediasms-demo
	@for folder in pipeline schemas tests benchmarks; do \
		[ ! -d $$folder ] || find $$folder -type d -name __pycache__ -prune -exec rm -rf {} + || exit 1; \
	done

$(VENV):
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { \
		echo "error: no '$(PYTHON)' here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "error: Python 3.11 or newer is needed, '$(PYTHON)' is $$("$(PYTHON)" --version 2>&1). Name another: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "venv: making .venv with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv --clear .venv
	@touch $@

$(RUN): pyproject.toml requirements.lock | $(VENV)
	@rm -f $@
	@echo "venv: installing requirements.lock"
	@$(PIP) install --require-hashes -r requirements.lock
	@echo "venv: installing this checkout (editable)"
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.lock $(RUN)
	@rm -f $@
	@echo "venv: installing requirements-dev.lock"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@
