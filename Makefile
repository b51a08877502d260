# Everything below needs only python3 (3.11 or later) with pip, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
REQUIREMENTS := requirements-dev.txt

.DEFAULT_GOAL := help
.PHONY: help install up demo test verify-deploy bench profile lint format faults faults-full sizing requirements clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 15

install: $(VENV)/.installed ## Install the pinned requirements and the adledger command into .venv

# The stamp is written last, so that an interrupted install is begun again.
$(VENV)/.installed: $(REQUIREMENTS) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "adledger needs Python 3.11 or later; this is %s. Try: make PYTHON=python3.12" % sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(REQUIREMENTS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

up: install ## Serve everything on http://127.0.0.1:8000, with the sample data
	@$(BIN)/adledger up --sample-data

demo: install ## Upload data/*.csv over HTTP, read the numbers back, print them, and leave nothing behind
	@$(BIN)/adledger demo

test: install ## Run the tests, two files at a time
	$(BIN)/pytest -n 2 --dist loadfile

verify-deploy: install deploy/.venv/.installed ## Run the slow tests of deploy/ too: compose on Docker, schemas, linters
	ADLEDGER_VERIFY_DEPLOY=1 $(BIN)/pytest -v tests/deploy

# The tools of verify-deploy; what is missing there (docker, kubectl, npm, terraform) skips its tests, with the reason.
deploy/.venv/.installed: deploy/verify/requirements.txt
	$(PYTHON) -m venv deploy/.venv
	deploy/.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r deploy/verify/requirements.txt
	@touch $@

faults: install ## Kill, stop and cut off processes under load for at most 10 minutes, and count what was lost (SEED=1)
	@$(BIN)/python -m tests.faults $(if $(SEED),--seed $(SEED))

faults-full: install ## The same with 2 GB, 220 kills of consumers and 50 of the broker, for up to two hours
	@$(BIN)/python -m tests.faults --full $(if $(SEED),--seed $(SEED))

sizing: install ## Measure for some minutes what each process does and takes, and write it into docs/operations.md
	@$(BIN)/python -m tests.sizing --write

profile: install ## Show where the time goes on the way in, stage by stage (ROWS=2409000)
	@$(BIN)/python -m tests.bench.profile $(if $(ROWS),--rows $(ROWS)) $(BENCH)

bench: install tests/bench/.venv/.installed ## Measure against textbook solutions, and print a table (ROWS=2409000 ROUNDS=3 FULL=1)
	@$(BIN)/python -m tests.bench $(if $(ROWS),--rows $(ROWS)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(FULL),--full) $(BENCH)

# What the peers are written with; apart, so that `make install` stays light.
tests/bench/.venv/.installed: tests/bench/requirements.txt
	$(PYTHON) -m venv tests/bench/.venv
	tests/bench/.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r tests/bench/requirements.txt
	@touch $@

lint: install ## Check style, types, imports and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## Mend style and formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

requirements: install ## Pin the requirements again, with hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --all-extras --group dev pyproject.toml -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header tests/bench/requirements.in -o tests/bench/requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group build --constraint requirements-dev.txt -o requirements-build.txt

clean: ## Remove what make and the tests have made (never your data)
	rm -rf $(VENV) deploy/.venv tests/bench/.venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find services shared tests data -name __pycache__ -type d -prune -exec rm -rf {} +
