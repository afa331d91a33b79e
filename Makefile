# make demo   a picture, of the two that the project ships; fetches VGG19 once (make demo PRESET=mini does without)
# make test   all tests
# make docs   the pages of docs/, with all of the Python interface, as a site in out/site
# make lint   format and lint, checked
# make format format and lint, mended
#
# Each sets up what it needs in .venv first. Another Python: make PYTHON=python3.12 …

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# One more than there are cores: tests wait for processes a third of their time.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(4, 1 + os.cpu_count()))')

.PHONY: demo test docs lint format clean

demo: $(READY) | out
	@$(BIN)/python scripts/style_transfer.py --flagfile=scripts/demo.flags --output=out/demo.png \
		$(if $(PRESET),--preset=$(PRESET)) \
		|| { echo "no picture; without a network and without weights: make demo PRESET=mini" >&2; exit 1; }

test: $(READY)
	$(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder

docs: $(READY)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo out/site/index.html

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

out:
	mkdir -p out

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "tfstyle needs Python 3.11 or newer; set PYTHON=... to one"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $(READY)

clean:
	rm -rf $(VENV) out build *.egg-info
