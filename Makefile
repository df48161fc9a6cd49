# frontdesk: every target is one line of what it does; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHELL := /bin/bash
# The order of the tests and what is drawn at random; SEED=random for another of both, which the run names.
SEED ?= 7
DRAWN := $(if $(filter random,$(SEED)),,--randomly-seed=$(SEED) --hypothesis-seed=$(SEED))
# Without its bytecode beside it, a program takes twice as long to start; the tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test check lint types contracts audit docs corpus faults bench screens lock migration clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# An environment that was begun without pip, as on a Debian without python3-venv, is completed.
define environment
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "frontdesk needs Python 3.11 or newer. Name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
endef

$(VENV)/installed-demo: pyproject.toml requirements/demo.txt
	$(environment)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/demo.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/installed-dev: pyproject.toml requirements/dev.txt
	$(environment)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/installed-demo

demo: $(VENV)/installed-demo ## Install, then play the demonstration and open the desk
	$(BIN)/frontdesk demo

test: $(VENV)/installed-dev ## Install, then run every check and test; SEED=random for another order
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/deptry .
	$(BIN)/basedpyright --level error --threads 2
	$(BIN)/pytest -n 2 --dist worksteal $(DRAWN)

check: $(VENV)/installed-dev ## The quick checks alone: style, types, direction of the rooms
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports --no-cache && $(BIN)/basedpyright --level error

audit: $(VENV)/installed-dev ## Look up known vulnerabilities of everything installed; what cannot be looked up fails
	$(BIN)/pip-audit --strict --requirement requirements/run.txt --require-hashes --disable-pip

docs: $(VENV)/installed-dev ## Build the documentation into docs/_build
	$(BIN)/sphinx-build -W -q -b html docs docs/_build

corpus: $(VENV)/installed-dev ## Read all public test mail beside the project and compare with other parsers
	$(BIN)/python -m bench.corpus

faults: $(VENV)/installed-dev ## Random kills and crashes, counted, ten minutes at most
	$(BIN)/python -m tests.faults.run
	CALLS=500 $(BIN)/pytest -q -n 0 tests/inbound/test_calls.py -k callbacks_lost

screens: $(VENV)/installed-dev ## Take the pictures of the screens anew from a demonstration
	$(BIN)/python docs/screens/take.py

bench: $(VENV)/installed-dev ## Measure intake and sending beside their peers
	$(BIN)/python -m bench.intake
	$(BIN)/python -m bench.sending

lock: ## Pin every dependency with its hash
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml requirements/build.in -o requirements/run.txt
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml requirements/build.in --group demo -c requirements/run.txt -o requirements/demo.txt
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml requirements/build.in --group dev -c requirements/run.txt -o requirements/dev.txt

migration: $(VENV)/installed-dev ## Write the next migration: make migration TITLE="What changed"
	$(BIN)/python -m core.migrations.new "$(TITLE)"

clean: ## Remove what was built, not what was installed
	rm -rf build dist docs/_build .pytest_cache .ruff_cache .hypothesis
