# Needs only Python 3.11+ and make. Everything is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install demo test check bench clean
help:  ## what the targets do
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(VENV)/.models: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[models]" easy-vqa==1.0
	touch $@

$(VENV)/.dev: $(VENV)/.models
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

install: $(VENV)/.dev  ## everything that developing needs

demo: $(VENV)/.models  ## fine-tune on easy-vqa, answer about pictures never seen, write the report
	$(BIN)/python examples/visual_question_answering.py --output runs/demo

check: $(VENV)/.dev  ## ruff, mypy, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check  ## all checks and all tests
	$(BIN)/pytest -n 2 --dist loadfile

bench: $(VENV)/.dev  ## the measurements of benchmarks/, results in benchmarks/results/
	$(BIN)/python -m benchmarks

clean:  ## remove the environment and the demo's run
	rm -rf $(VENV) runs/demo
