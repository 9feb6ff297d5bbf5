# Needs only Python 3.11+ and make. Everything is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Pictures of the test split, which training never sees.
TEST_PICTURES = $(wildcard $(VENV)/lib/python3.*/site-packages/easy_vqa/data/test/images)
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
	$(BIN)/seesay train vqa --data easy-vqa --from-scratch vilt-small --num-train-epochs 4 --output runs/demo
	$(BIN)/seesay evaluate vqa --data easy-vqa --split test --model runs/demo --output runs/demo/test
	$(BIN)/seesay ask $(addprefix $(TEST_PICTURES)/,0.png 1.png 2.png) --model runs/demo --top-k 3 \
		-q "what shape is in the image?" -q "what color is the shape?" -q "is there a red circle?"
	@echo "look at runs/demo/report.html and runs/demo/test/report.html"

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
