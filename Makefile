# Two commands for a newcomer: `make demo` and `make test`. Both set up what they need, from the locked set, once.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Whole nights, thousands of times or with the real command: to trace them takes as long again for nothing.
SEARCHES := tests/fault tests/matrix tests/process tests/property tests/simulation

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types lock clean

help:            ## list the commands
	@grep -E '^[a-z-]+: .*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 16

demo: $(VENV)/run.stamp   ## set up, then run a sample sheet against the embedded emulator
	$(BIN)/nightsheet run sample_batches/first-night.csv --emulator

test: $(VENV)/dev.stamp   ## set up, then pass the tests
	$(BIN)/python -m pytest -n 2 --dist worksteal -o faulthandler_timeout=300 --cov --cov-report=term $(SEARCHES:%=--ignore=%)
	$(BIN)/python -m pytest -n 2 --dist worksteal -o faulthandler_timeout=1200 $(SEARCHES)

check: lint types test    ## all that CI checks

lint: $(VENV)/dev.stamp   ## style and common mistakes
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/dev.stamp  ## static types, strictly
	$(BIN)/mypy

lock:            ## renew the locked dependency sets (needs uv)
	uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --group build -o requirements.txt $(LOCK_FLAGS)
	uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --group build --group dev -c requirements.txt -o requirements-dev.txt $(LOCK_FLAGS)

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Nightsheet needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(PIP) install --quiet --require-hashes -r requirements.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	$(PIP) install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

clean:           ## remove the environment and what the demo wrote
	rm -rf $(VENV) outputs-emulator nightsheet-emulator.db*
