# Two commands do all the set-up on a machine that has only Python >= 3.11 and make:
#   make study    environment, install, the built-in study, its leaderboard
#   make test     environment, install, the tests
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STUDY ?= laptop
PYTEST_ARGS ?=

.PHONY: study imbalance test test-slow vllm check format build clean
.DELETE_ON_ERROR:

study: $(VENV)/.study
	$(BIN)/mftbench run $(STUDY) --modes single,mixed,mft

# Rows of the small task at 1:1, 1:10, 1:30 and 1:100; one board each, and a page over all.
imbalance: $(VENV)/.study
	for rows in 1:400 10:40 30:13 100:4; do \
	  $(BIN)/mftbench run imbalance --set data.sql.options.starter.train=$${rows#*:} \
	    --board leaderboards/imbalance/1-$${rows%:*} || exit 1; \
	done
	$(BIN)/mftbench leaderboard sweep leaderboards/imbalance

test: $(VENV)/.dev
	$(BIN)/pytest $(PYTEST_ARGS)

# What takes minutes: attacks on every backend, kills at random moments, two ranks, all golds.
test-slow: $(VENV)/.dev
	$(BIN)/pytest -m slow $(PYTEST_ARGS)

vllm: # an environment in which vLLM runs on the CPU, for engine_options.python
	PYTHON=$(PYTHON) scripts/vllm-cpu.sh .venv-vllm

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
