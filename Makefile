# Two commands for a newcomer: `make demo` and `make test`. Both set up what they need, from the locked set, once.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# The lock is complete, so nothing is resolved: pip would meet a release newer than the lock for a requirement with an
# extra, and stop (pypa/pip#9644, pypa/pip#12345). Each rule ends with `pip check`: it sees what the lock lacks.
INSTALL := $(PIP) install --quiet --no-deps
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal
# Whole nights, thousands of times or with the real command: to trace them takes as long again for nothing.
SEARCHES := tests/fault tests/matrix tests/model tests/packaging tests/process tests/property tests/simulation
QUICK := tests/architecture tests/contract tests/planted tests/unit

.DEFAULT_GOAL := help
.PHONY: help demo test quick check lint types bench lock clean

help:            ## list the commands
	@grep -E '^[a-z-]+: .*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 16

demo: $(VENV)/run.stamp   ## set up, then run a sample sheet against the embedded emulator
	$(BIN)/nightsheet run sample_batches/first-night.csv --emulator

test: $(VENV)/dev.stamp   ## set up, then pass the tests
	$(PYTEST) -o faulthandler_timeout=300 --cov --cov-report=term $(SEARCHES:%=--ignore=%)
	$(PYTEST) -o faulthandler_timeout=1200 $(SEARCHES)

quick: $(VENV)/dev.stamp  ## set up, then pass the unit tests: two minutes on two idle cores
	$(PYTEST) -q $(QUICK)

check: lint types test    ## style, types, tests

lint: $(VENV)/dev.stamp   ## style and common mistakes
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/dev.stamp  ## static types, strictly
	$(BIN)/mypy

bench: $(VENV)/bench.stamp  ## set up what benchmarks/ measures beside the product

lock:            ## renew the locked dependency sets (needs uv)
	uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --group build -o requirements.txt $(LOCK_FLAGS)
	uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --group build --group dev -c requirements.txt -o requirements-dev.txt $(LOCK_FLAGS)
	uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --group bench -c requirements-dev.txt -o requirements-bench.txt $(LOCK_FLAGS)

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Nightsheet needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(INSTALL) --require-hashes -r requirements.txt
	$(INSTALL) --no-build-isolation --editable .
	$(if $(wildcard $(VENV)/dev.stamp),,$(PIP) check)  # an older dev set beside it is renewed and checked below
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	$(INSTALL) --require-hashes -r requirements-dev.txt
	$(PIP) check
	@touch $@

$(VENV)/bench.stamp: requirements-bench.txt $(VENV)/dev.stamp
	$(INSTALL) --require-hashes -r requirements-bench.txt
	$(PIP) check
	@touch $@

clean:           ## remove the environment and what the demo wrote
	rm -rf $(VENV) outputs-emulator nightsheet-emulator.db*
