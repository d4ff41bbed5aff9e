# Two commands do all the set-up on a machine that has only Python >= 3.11 and make:
#   make study    environment, install, the built-in study, its leaderboard
#   make test     environment, install, the tests
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STUDY ?= laptop
PYTEST_ARGS ?=

.PHONY: study test check format build clean
.DELETE_ON_ERROR:

study: $(VENV)/.study
	$(BIN)/mftbench run $(STUDY) --modes single,mixed,mft

test: $(VENV)/.dev
	$(BIN)/pytest $(PYTEST_ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy mftbench tasks
	$(BIN)/mftbench leaderboard --check

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

build: $(VENV)/.dev
	$(BIN)/python -m build

clean:
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache

# The node extra brings Node.js as a wheel, so that the JavaScript task runs with nothing but pip.
$(VENV)/.study: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[node]'
	@touch $@

$(VENV)/.dev: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[node,dev]'
	@touch $@ $(VENV)/.study
