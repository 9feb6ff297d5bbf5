# Needs only Python 3.11+ and make. Everything is installed into .venv.
PYTHON ?= python3
VENV := .venv
DEMO := .venv-demo
SERVE := .venv-serve
BIN := $(VENV)/bin
# Pictures of the test split, which training never sees.
TEST_PICTURES = $(wildcard $(VENV)/lib/python3.*/site-packages/easy_vqa/data/test/images)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install demo serve vqa test check bench clean
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

# The demo has an environment of its own: what `pip install seesay` gives, and nothing else.
$(DEMO)/.core: pyproject.toml constraints.txt $(shell find src -name '*.py' -o -name '*.onnx')
	test -x $(DEMO)/bin/python || $(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/pip install --quiet --constraint constraints.txt .
	touch $@

demo: $(DEMO)/.core  ## ask, caption, read and speak about the pictures in examples/, without torch, into one page
	$(DEMO)/bin/python examples/demo.py --output runs/demo/index.html

$(SERVE)/.server: pyproject.toml constraints.txt $(shell find src -name '*.py' -o -name '*.onnx' -o -path '*/web/*')
	test -x $(SERVE)/bin/python || $(PYTHON) -m venv $(SERVE)
	$(SERVE)/bin/pip install --quiet --constraint constraints.txt ".[server]"
	touch $@

serve: $(SERVE)/.server  ## seesay-mini, a voice and a page at http://127.0.0.1:8000, without torch
	$(SERVE)/bin/seesay serve

vqa: $(VENV)/.models  ## train a small ViLT on easy-vqa, answer about pictures never seen, write the reports
	$(BIN)/seesay train vqa --data easy-vqa --from-scratch vilt-small --output runs/easy-vqa
	$(BIN)/seesay evaluate vqa --data easy-vqa --split test --model runs/easy-vqa --output runs/easy-vqa/test
	$(BIN)/seesay ask $(addprefix $(TEST_PICTURES)/,0.png 1.png 2.png) --model runs/easy-vqa --top-k 3 \
		-q "what shape is in the image?" -q "what color is the shape?" -q "is there a red circle?"
	@echo "look at runs/easy-vqa/report.html and runs/easy-vqa/test/report.html"

check: $(VENV)/.dev  ## ruff, mypy, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Two workers of one thread each: threads of two that wait for one another make both slower.
test: check  ## all checks and all tests
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

bench: $(VENV)/.dev  ## the measurements of benchmarks/, results in benchmarks/results/
	$(BIN)/python -m benchmarks

clean:  ## remove the environments and the runs of demo and vqa
	rm -rf $(VENV) $(DEMO) $(SERVE) runs/demo runs/easy-vqa
