# Every target CI and people use. The first one that needs Python builds the virtual environment.

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= python3
PROFILE ?= quick

.DEFAULT_GOAL := help

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "wavetank needs Python 3.10 or newer"; exit 1; }
	@command -v cargo >/dev/null || { echo "wavetank needs Rust: https://rustup.rs"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.runtime: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet maturin numpy pyyaml typer rich
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	$(BIN)/python tools/extras.py dev | xargs $(BIN)/python -m pip install --quiet
	@touch $@

build: $(VENV)/.runtime ## Compile the extension into the virtual environment
	@VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/maturin develop --quiet --skip-install --profile $(PROFILE) 2>&1 || VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/maturin develop --profile $(PROFILE)

demo: build ## Plan the example shop on a small cluster
	@$(BIN)/wavetank plan examples/shop --nodes 3xm5.large,zones=3

test: build $(VENV)/.dev ## Run the Python tests
	$(BIN)/python -m pytest

.PHONY: help build demo test
