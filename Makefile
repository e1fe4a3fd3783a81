# make demo: all pipelines on the built-in corpus.  make test: the whole test suite.  make docs: the site, in build/site.
# Each builds .venv first. Tests run in an order, a locale and a time zone that are nobody's.
PYTHON ?= python3
VENV := .venv
# A CPU build of torch, installed first so that nothing else pulls in the CUDA one.
TORCH_VERSION ?= 2.13.0
EXTRAS ?= neural,speech,scale,llm,values,report
INSTALLED := $(VENV)/.installed

.PHONY: demo test docs fuzz kill lint clean

demo: $(INSTALLED)
	$(VENV)/bin/seedcorn demo

test: $(INSTALLED)
	LC_ALL=C TZ=Asia/Kathmandu $(VENV)/bin/python -m pytest -n 2 --dist worksteal --shuffle 1

docs: $(INSTALLED)
	$(VENV)/bin/mkdocs build --strict --clean

N_FUZZ ?= 1000000
fuzz: $(INSTALLED)
	PYTHONPATH=tests $(VENV)/bin/python tests/fuzz $(N_FUZZ)

N_KILLS ?= 200
kill: $(INSTALLED)
	PYTHONPATH=tests $(VENV)/bin/python tests/fuzz/kills.py $(N_KILLS)

lint: $(INSTALLED)
	$(VENV)/bin/ruff format --check src tests benchmarks docs
	$(VENV)/bin/ruff check src tests benchmarks docs
	$(VENV)/bin/mypy

$(INSTALLED): pyproject.toml Makefile
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --upgrade "pip>=25.1"
	$(VENV)/bin/pip install --quiet "torch==$(TORCH_VERSION)"
	$(VENV)/bin/pip install --quiet --editable ".[$(EXTRAS)]" --group dev
	touch $@

clean:
	rm -rf $(VENV) build dist runs
