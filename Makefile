# Every target does its own set-up: a .venv with the versions of constraints.txt. Run `make help` for the list.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
INSTALL := $(PIP) --constraint constraints.txt
# Tools that look at the environment from outside: what they need themselves is no part of it.
AUDIT := .venv-audit
AUDIT_TOOLS := pip-audit==2.10.1 cyclonedx-bom==7.5.0 uv==0.13.9
SBOM := build/sbom.json
ENGINES := ray beam spark
LOCKED := $(ENGINES) track
EXPORT := saved_models/text_generation
RUN := runs/text_generation/demo

# Tests run on every processor that this process may use; psutil, which pytest-xdist asks, would count cores alone.
export PYTEST_XDIST_AUTO_NUM_WORKERS ?= $(shell nproc 2>/dev/null)

.PHONY: help setup demo models page test fast-tests test-slow test-ui test-engines lint mutants wheel-check bench bench-engines hostile scoreboard docs lock audit sbom clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1\t/' | expand -t 18

setup: $(VENV)/.installed ## install the package and its development tools into .venv

# The first Python from 3.11 to 3.13 that can make virtual environments; `make PYTHON=...` names another.
$(VENV)/.created:
	@python="$(PYTHON)"; \
	for candidate in $${python:-python3.11 python3.12 python3.13 python3}; do \
	  if $$candidate -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; \
	  then echo "Making $(VENV) with $$candidate"; $$candidate -m venv --clear $(VENV); break; fi; \
	done; \
	test -x $(BIN)/python || { echo "No Python 3.11 to 3.13 with venv found; name one: make PYTHON=/path/to/python" >&2; exit 1; }
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml setup.cfg locked.txt models/pyproject.toml
	@echo "Installing pinned dependencies (a few minutes the first time)"
	@$(PIP) --require-hashes --no-deps --requirement locked.txt
	@$(PIP) --no-deps --no-build-isolation --editable . --editable ./models
	@touch $@

$(VENV)/.installed-%: $(VENV)/.installed
	@$(INSTALL) --no-build-isolation --editable '.[$*]'
	@touch $@

demo: setup ## train, score, export, verify and use a character model of built-in text
	@rm -rf $(RUN)
	$(BIN)/rnnapps text_generation train --config demo --run $(RUN)
	$(BIN)/rnnapps text_generation evaluate --run $(RUN)
	$(BIN)/rnnapps text_generation export --run $(RUN) --to $(EXPORT)
	$(BIN)/rnnapps verify "$$(ls -d $(EXPORT)/[0-9]* | sort -V | tail -1)"
	$(BIN)/rnnapps text_generation predict --run $(RUN) --prompt "The " --length 300
	@echo "next: $(BIN)/rnnapps serve saved_models --ui    asks it in the browser; with --demo seven trained models"

models: $(VENV)/.installed-samples ## train, export and pack the models of rnnapps-models anew (some 25 minutes)
	$(BIN)/python -m models.build

lint: setup ## ruff (lint and format) and mypy --strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

test: lint ## lint, then the fast tests
	@$(MAKE) --no-print-directory fast-tests

fast-tests: setup
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-slow: setup ## the tests marked slow: learning, killing and resuming, the whole command line
	@$(BIN)/python -m pytest -m slow

# ONNX Runtime for browsers, which a page of one file holds; npm puts it into an ignored folder.
build/web/.installed:
	@mkdir -p build/web
	@npm install --prefix build/web --no-audit --no-fund --ignore-scripts --silent onnxruntime-web@1.30.0
	@touch $@

page: $(VENV)/.installed-portable $(VENV)/.installed-serve build/web/.installed ## a page of one file: text, music and sensors without a server
	@for model in text:text_generation music_chorales:music_generation machine_faults:anomaly_detection; do \
	  test -d build/page/$${model%%:*} || \
	  $(BIN)/rnnapps $${model##*:} export --run zoo:$${model%%:*} --to build/page/$${model%%:*} --portable onnx || exit 1; \
	done
	@$(BIN)/rnnapps page build/page/text build/page/music_chorales build/page/machine_faults \
	  --runtime build/web/node_modules/onnxruntime-web/dist --to build/page/index.html

test-ui: $(VENV)/.installed-browser $(VENV)/.installed-portable build/web/.installed ## the playground in Chromium: with exports in PLAYGROUND_MODELS, or the trained models
	@$(BIN)/python -m pytest -m browser tests/playground

# Engines pin packages that the rest has in newer versions: each has an environment of its own.
.venv-engines/%/.installed: $(VENV)/.created tests/engines/%.txt pyproject.toml setup.cfg
	@echo "Installing what $* needs into .venv-engines/$* (a few minutes the first time)"
	@$(BIN)/python -m venv --clear .venv-engines/$*
	@.venv-engines/$*/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps --requirement tests/engines/$*.txt
	@.venv-engines/$*/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable . --editable ./models
	@touch $@

test-engines: $(LOCKED:%=.venv-engines/%/.installed) ## Ray, Beam, Spark (apt install default-jre-headless) and trackers, each in its own environment
	@for engine in $(ENGINES); do \
	  .venv-engines/$$engine/bin/python -m pytest -m engines tests/engines/test_$$engine.py && \
	  .venv-engines/$$engine/bin/python -m pytest -q tests/test_public_api.py -k on_$$engine || exit 1; \
	done
	@.venv-engines/track/bin/python -m pytest tests/training/test_trackers.py

wheel-check: setup ## build the wheel, install it into an empty environment elsewhere, and use it there
	@.ci/wheel-check

mutants: setup ## do the tests notice small mistakes? make mutants FOLDER=rnnapps/kernels [LIMIT=50] [TESTS=tests/...]
	@TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 $(BIN)/python -m tests.mutants $(or $(FOLDER),rnnapps/cells) \
	  $(if $(LIMIT),--limit $(LIMIT)) $(if $(JOBS),--jobs $(JOBS)) $(if $(TESTS),--tests $(TESTS)) \
	  $(if $(JSON),--json $(JSON)) $(if $(AGAIN),--again $(AGAIN))

hostile: setup ## hostile requests to each signature of EXPORT: folders, or zoo:NAME
	$(BIN)/python -m benchmarks.hostile_requests $(EXPORT)

scoreboard: setup ## the tables of docs/ from benchmarks/scoreboard.yaml; ROW="name ..." measures rows again first
	$(BIN)/python -m benchmarks.scoreboard $(ROW)

bench: $(VENV)/.installed-bench ## training and inference speed beside Keras and PyTorch
	$(BIN)/python -m benchmarks

bench-engines: setup $(ENGINES:%=.venv-engines/%/.installed) ## rows a second of `rnnapps score` by engine
	@for engine in head loop local; do $(BIN)/python -m benchmarks.engines $$engine; done
	@for engine in $(ENGINES); do .venv-engines/$$engine/bin/python -m benchmarks.engines $$engine; done

docs: $(VENV)/.installed-docs ## the user guide, into docs/_build/html
	@$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

$(AUDIT)/.installed: $(VENV)/.created Makefile
	@$(BIN)/python -m venv --clear $(AUDIT)
	@$(AUDIT)/bin/python -m pip install -qq --disable-pip-version-check $(AUDIT_TOOLS)
	@touch $@

lock: $(LOCKED:%=lock-%) ## after a change of constraints.txt or pyproject.toml: locked.txt and those of the engines, with all hashes
	@(sed '/^# *$$/q' locked.txt; printf 'pip\nsetuptools\nwheel\n' | $(AUDIT)/bin/uv pip compile pyproject.toml - \
	  --extra dev --extra documents --extra excel --extra holidays --extra portable --extra samples --extra serve --extra tune --extra urls --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet \
	  --constraint constraints.txt) > locked.new
	@mv locked.new locked.txt

# What an engine wants in another version than the rest.
OTHERS_beam := pillow|protobuf|pyarrow|python-dateutil
OTHERS_spark := pandas
lock-%: $(AUDIT)/.installed
	@(sed '/^# *$$/q' tests/engines/$*.txt; printf 'hypothesis\npip\npytest\nsetuptools\nwheel\n' | $(AUDIT)/bin/uv pip compile pyproject.toml - \
	  --extra serve --extra $* --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet \
	  --constraint <(grep -vE '^($(OTHERS_$*))==' constraints.txt)) > $*.new
	@mv $*.new tests/engines/$*.txt

audit: setup $(AUDIT)/.installed ## a report of known advisories and of licences of all dependencies; never fails
	@.ci/audit $(AUDIT)/bin

sbom: setup $(AUDIT)/.installed ## a software bill of materials (CycloneDX) of what .venv holds, into build/sbom.json
	@mkdir -p $(dir $(SBOM))
	@$(AUDIT)/bin/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml --output-reproducible \
	  --output-format JSON --output-file $(SBOM)
	@echo "Wrote $(SBOM)"

clean: ## remove everything that make made, but runs/ and saved_models/
	rm -rf $(VENV) $(AUDIT) .venv-engines docs/_build build .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
