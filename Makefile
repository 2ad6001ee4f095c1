# `make` alone prints the targets. Every target that needs the environment makes it first.
PYTHON := .venv/bin/python
ARGS ?=
export PYTHONNOUSERSITE := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test validation test-paths test-slurm check bench bench-quick bench-large load format proto wheel clean

help: ## Print the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

setup: ## Install what is missing and make .venv; the other targets do it by themselves.
	@scripts/setup.sh

demo: setup ## Solve the example part through a private server and show the answer.
	@.venv/bin/dougong solve examples/bracket/analysis.yaml $(ARGS)

test: setup ## Run all tests; ARGS="-k name" passes arguments to pytest.
	@$(PYTHON) -m pytest --durations=10 $(ARGS)

validation: setup ## Compare with published answers; writes build/validation.json and docs/reference/validation.md.
	@$(PYTHON) scripts/validation.py $(ARGS)

test-paths: setup ## Run the verification on every way of computing; ARGS="--paths plain --ranks 1,4" for some.
	@$(PYTHON) tests/paths.py $(ARGS)

check: setup ## Style, types, import rules, generated code, message catalogue.
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports --no-cache --no-logo
	@$(PYTHON) scripts/generate_proto.py --check
	@$(PYTHON) scripts/generate_reference.py --check
	@$(PYTHON) -m pytest -q $(wildcard tests/unit/test_repo_*.py)

test-slurm: setup ## Run jobs on a real Slurm of two nodes on this machine, which it installs; as root, 3 minutes.
	@scripts/setup_slurm.sh
	@$(PYTHON) -m pytest -m slurm tests/slurm tests/contract/test_executors.py $(ARGS)

bench: setup ## Measure beside dolfinx, CalculiX and scikit-fem, up to 40 minutes; writes build/bench.json.
	@benchmarks/peers.sh
	@$(PYTHON) benchmarks $(ARGS)

bench-quick: setup ## The same with small cases and the peers that are there, two minutes.
	@$(PYTHON) benchmarks --quick $(ARGS)

bench-large: setup ## The same as bench, and a body of three million unknowns.
	@benchmarks/peers.sh
	@$(PYTHON) benchmarks --large $(ARGS)

load: setup ## Small jobs at full rate, SECONDS=600: nothing may grow or be wrong; writes build/load.json.
	@$(PYTHON) benchmarks/load.py --seconds $(or $(SECONDS),600) $(ARGS)

format: setup ## Format the code and sort the imports.
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

proto: setup ## Generate the Python code of the contract again.
	@$(PYTHON) scripts/generate_proto.py
	@$(PYTHON) scripts/generate_reference.py

wheel: setup ## Build dist/dougong-*.whl.
	@$(PYTHON) -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

clean: ## Remove everything that was made, also .venv.
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	rm -f solver/dougong/solver/kernels/_kernels-*.so
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
