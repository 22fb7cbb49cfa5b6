# Every target that CI and people use. The first one that needs Python makes the virtual
# environment and compiles the extension; later ones compile what changed.

VENV ?= .venv
PYTHON ?= python3
PROFILE ?= quick
BIN := $(abspath $(VENV))/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help

.PHONY: help build demo test test-rust lint format types notebooks bench bench-kernel clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "wavetank needs Python 3.10 or newer; set PYTHON=..." >&2; exit 1; }
	@command -v cargo >/dev/null || { echo "wavetank needs Rust 1.95 or newer" >&2; exit 1; }
	@echo "making the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --upgrade pip
	@$(PIP) install --quiet --group build
	@touch $@

$(VENV)/.check: $(VENV)/.made pyproject.toml
	@echo "installing the tools for tests"
	@$(PIP) install --quiet --group check
	@touch $@

build: $(VENV)/.made ## Compile the extension into the virtual environment
	@echo "compiling wavetank (minutes the first time)"
	@VIRTUAL_ENV=$(abspath $(VENV)) PATH="$(BIN):$$PATH" PIP_QUIET=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
	  $(BIN)/maturin develop --quiet --profile $(PROFILE)

demo: build ## Plan the example shop on a small cluster
	@$(BIN)/wavetank plan examples/shop --nodes 3xm5.large,zones=3 || test $$? -eq 1

test: build $(VENV)/.check ## Run the Python tests
	@$(BIN)/python -m pytest

test-rust: ## Run the Rust tests
	cargo test --workspace --exclude wavetank-python --quiet

lint: $(VENV)/.check ## Check style of Rust, Python and notebooks
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/nbstripout --verify notebooks/*.ipynb

format: $(VENV)/.check ## Rewrite sources in the project's style
	cargo fmt --all
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .
	$(BIN)/nbstripout notebooks/*.ipynb

types: build $(VENV)/.check ## Check types, and the stubs against the compiled module
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest wavetank._core --ignore-disjoint-bases

notebooks: build $(VENV)/.check ## Execute every notebook
	$(BIN)/python tools/run_notebooks.py notebooks

bench: build $(VENV)/.check ## Run every bench; SHORT=1 for a quick look
	cargo bench --workspace --exclude wavetank-python --profile quick -- $(if $(SHORT),--test)
	$(BIN)/python -m pytest benches $(if $(SHORT),--benchmark-disable)
	SHORT=$(SHORT) $(BIN)/python -m benches.kernel

bench-kernel: build ## Compare with the kernel's iptables; SHORT=1 for a quick look
	SHORT=$(SHORT) $(BIN)/python -m benches.kernel

clean: ## Remove the virtual environment and everything compiled
	rm -rf $(VENV) target
