# Everything here does its own set-up, says what it installs, and does it once.
#
#   PYTHON=/path/to/python3   the interpreter for .venv (3.11 or newer)
#   ARGS="..."                more arguments: make run ARGS="--listen 127.0.0.1:9000", make test ARGS="-k redis"

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
# Hundreds of commands are started here, each as an installed one is: compiled once.
unexport PYTHONDONTWRITEBYTECODE
.ONESHELL:
.PHONY: help run test crash bench ghosts lint docs clean servers

#   JOBS=1                    how many tests run at once: make test JOBS=1
JOBS ?= 4

BIN := .venv/bin
RUNNABLE := .venv/.runnable
TESTABLE := .venv/.testable
INPUTS := pyproject.toml $(wildcard requirements.lock) tools/install-trueup tools/create-venv

help: ## say what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

run: $(RUNNABLE) ## watch this machine's services, dashboard on http://127.0.0.1:8642
	@exec $(BIN)/trueup run $(ARGS)

# Several at once, for a test with real servers mostly waits. On a busy machine one is late now and then: what
# failed is asked once more, alone, and said.
test: servers lint ## lint, then all tests, with real servers
	@$(BIN)/pytest --numprocesses $(JOBS) --dist loadfile $(ARGS) || { \
		test $$? -eq 1 || exit; \
		echo "some tests failed; asking those again, alone"; \
		$(BIN)/pytest --last-failed --last-failed-no-failures=none $(ARGS); }

lint: $(TESTABLE) ## style, types, floors
	@failed=0
	@for tool in "ruff check --quiet" "ruff format --quiet --check" mypy "lint-imports --no-logo"; do
	    $(BIN)/$$tool || failed=1
	done
	@exit $$failed

ghosts: servers $(TESTABLE) ## make real faults with real software, and see who finds them
	@$(BIN)/python -m bench.ghosts $(ARGS)

crash: servers $(TESTABLE) ## kill the monitor at every named point and 200 times at random
	@TRUEUP_CRASHES=200 $(BIN)/pytest --timeout 7200 tests/crash $(ARGS)

bench: servers $(TESTABLE) ## what a check costs, beside a C client
	@$(BIN)/python -m bench $(ARGS)

docs: $(TESTABLE) ## write the reference from the code, and see that the documents tell the truth
	@$(BIN)/python -m tools.reference
	@$(BIN)/pytest -q tests/test_docs.py $(ARGS)

clean: ## remove .venv, caches and build results; installed packages stay
	rm -rf .venv .cache build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find src tests bench tools -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNNABLE): $(INPUTS)
	@tools/install-trueup
	@touch $@

$(TESTABLE): $(INPUTS)
	@tools/install-trueup test
	@touch $@ $(RUNNABLE)

# No stamp: what is installed may change without us, and the look takes milliseconds.
servers: $(TESTABLE)
	@tools/install-test-servers
	@PYTHON=$(BIN)/python tools/fetch-mongod
