# Two commands for a fresh machine: `make run` and `make test`. Both need git, make, Python >= 3.11 with venv,
# PyPI and the distribution's package archive; nothing is installed on the host, and nothing needs root.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install releases run test test-unit test-lab repeat soak lint bench fidelity bulk clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(STAMP) ## the virtual environment with bgpsim in it, and the images the lab runs on
	@$(BIN)/python -m bgpsim.lab.images

releases: install ## FRR 10.3 beside 8.4, for the tests that run it; where it cannot be had, they are skipped and say so
	-@$(BIN)/python -m bgpsim.lab.images frr-10.3

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "bgpsim needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
		|| { echo "Python's venv module is missing: install the package python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

run: install ## the main job: the shipped lab predicted, run on real routers, compared
	$(BIN)/bgpsim run scenarios/cilium-bgp/scenario.yaml --report reports

test: install releases ## unit and lab tests
	$(BIN)/pytest tests/unit tests/lab -q -rs -p no:cacheprovider -n 2 --dist worksteal

test-unit: $(STAMP) ## unit tests alone: seconds, no lab
	$(BIN)/pytest tests/unit -q

test-lab: install releases ## lab tests alone: real routers
	$(BIN)/pytest tests/lab -q -rs -n 2 --dist worksteal

repeat: install ## each shipped scenario three times: the same report, but for what is volatile
	$(BIN)/pytest tests/repeat -q -rs -n 2

soak: install ## labs up and down with a fault in each, 200 in all; ARGS="--minutes 30", and again to go on
	$(BIN)/python -m tests.soak $(ARGS)

lint: $(STAMP) ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install ## labs beside their floors, in one run; make bench ROWS="ring-20 munet" for some rows
	@$(BIN)/python -c 'import munet' 2>/dev/null \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,bench]'
	$(BIN)/python -m benchmarks $(ROWS)

fidelity: install ## random networks predicted, run and compared, 500 in all; ARGS="--seed 7 --resume"
	$(BIN)/bgpsim fuzz --networks 500 --changes 4 --keep-failures fidelity $(ARGS)

bulk: install ## a table of 100,000 routes, compared in full: minutes, and the memory that it takes
	$(BIN)/python -m benchmarks.whole_table

clean: ## remove what make made (the images stay in the data directory)
	rm -rf $(VENV) build dist reports soak fidelity .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
