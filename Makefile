# The developer manual: `make` alone lists what can be done here. Each target makes the environment that it needs.

PYTHON ?= python3
RUN := .venv/.installed-run
DEV := .venv/.installed-dev
TRAIN := .venv-training/.installed
# What torch's types are needed for is checked in the training environment, all else without torch.
TRAINING_CODE := xray_ai/training scripts bench tests/training
NOT_HERE := training or e2e or orthanc or postgres or browser or soak or gpu

.DEFAULT_GOAL := help
.PHONY: help setup demo check format shape test test-training e2e soak bench docs model scope

help: ## List the targets (PYTHON=python3.12 chooses the Python, 3.11 or newer)
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(DEV) ## Make .venv: the service and all that its development needs; no torch

demo: $(RUN) ## Run the service and push a real chest radiograph and a tibia to it (ONCE=1 ends it)
	.venv/bin/xray-ai demo

check: $(DEV) ## Lint, format, types, import contracts and shape (types of training code: test-training)
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy --exclude '^(xray_ai|tests)/training/' xray_ai tests
	.venv/bin/lint-imports
	.venv/bin/python tests/house/shape.py

format: $(DEV) ## Format the code and mend what ruff can mend by itself
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

shape: $(DEV) ## Measure sizes, complexity, docstrings, types and tests against their bars
	.venv/bin/python tests/house/shape.py

test: $(DEV) ## Run the tests that need neither torch nor another program
	.venv/bin/pytest --ignore tests/training -m 'not ($(NOT_HERE))'

test-training: $(TRAIN) ## Check the types of training code and test it; installs torch in .venv-training
	.venv-training/bin/mypy $(TRAINING_CODE)
	.venv-training/bin/pytest -m 'training and not (soak or gpu)'

e2e: $(DEV) ## Run the tests against real peers (Debian packages: dcmtk orthanc dicom3tools pixelmed-apps postgresql faketime)
	.venv/bin/pytest --ignore tests/training -m '(e2e or postgres) and not (soak or gpu)'

soak: $(DEV) ## Run the long tests and push 10,000 images while processes are killed; hours on a machine of its own
	.venv/bin/pytest --ignore tests/training -m 'soak and not gpu'
	.venv/bin/python -m bench.soak --kills 30 --json out/bench/soak.json

bench: $(TRAIN) ## Measure speed beside peers, and what result objects cost (Debian packages: dcmtk orthanc); on a machine that rests
	.venv-training/bin/python -m bench.end_to_end --json out/bench/end_to_end.json
	.venv-training/bin/python -m bench.results --json out/bench/results.json
	.venv-training/bin/python -m bench.receive --json out/bench/receive.json
	.venv-training/bin/python -m bench.push_to_flag --json out/bench/push_to_flag.json
	.venv-training/bin/python -m bench.sustained --json out/bench/sustained.json

docs: $(DEV) ## Build the manual into site/
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict

DATA ?= data
OUT ?= out/nih14-duo
VERSION ?= 0.2.0
PREVIOUS ?=
EVALUATION := --data $(DATA) --out $(OUT) --scope models/frontal-scope $(if $(PREVIOUS),--against $(PREVIOUS))
# Memory that a step gives back is kept for the next one instead of being fetched from the kernel again.
KEEP_MEMORY := MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 OMP_WAIT_POLICY=passive

model: $(TRAIN) ## Make models/nih14-duo, from data to evaluation (DATA=folder OUT=folder PREVIOUS=pack to compare with)
	$(KEEP_MEMORY) .venv-training/bin/python scripts/train.py scripts/runs/nih14-duo.toml --data $(DATA) --out $(OUT)
	.venv-training/bin/python scripts/export_onnx.py $(OUT) --data $(DATA)
	.venv-training/bin/python scripts/quantize.py $(OUT) --data $(DATA)
	.venv-training/bin/python scripts/calibrate.py $(OUT) --data $(DATA)
	rm -f $(OUT)/evaluation.json
	.venv-training/bin/python scripts/pack_model.py $(OUT) --data $(DATA) --version $(VERSION)
	.venv-training/bin/python scripts/evaluate.py models/nih14-duo $(EVALUATION) --split test
	.venv-training/bin/python scripts/pack_model.py $(OUT) --data $(DATA) --version $(VERSION)

SCOPE_OUT ?= out/frontal-scope
SCOPE_VERSION ?= 0.2.0
SCOPE := scripts/train_scope.py scripts/runs/frontal-scope.toml --data $(DATA) --out $(SCOPE_OUT) --version $(SCOPE_VERSION)

scope: $(TRAIN) ## Make the scope pack again: train, export, set points, pack, measure (DATA=folder SCOPE_OUT=folder)
	.venv-training/bin/python $(SCOPE)
	.venv-training/bin/python scripts/measure_scope.py models/frontal-scope --data $(DATA) --split test --out $(SCOPE_OUT)
	.venv-training/bin/python $(SCOPE)

# --- environments: made anew where pyproject.toml or the pinned versions are newer

define NEW_ENOUGH
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "xray_ai needs Python 3.11 or newer, and '$(PYTHON)' is not: install one, then 'make PYTHON=python3.12 ...'." >&2; exit 1; }
endef

$(RUN): pyproject.toml constraints.txt
	$(NEW_ENOUGH)
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --constraint constraints.txt --editable '.[cpu,demo]'
	@touch $@

$(DEV): $(RUN)
	.venv/bin/pip install --quiet --constraint constraints.txt --editable '.[cpu,demo,dev]'
	@touch $@

$(TRAIN): pyproject.toml constraints-training.txt
	$(NEW_ENOUGH)
	$(PYTHON) -m venv .venv-training
	.venv-training/bin/pip install --quiet --constraint constraints-training.txt --editable '.[cpu,demo,dev,train,bench]'
	@touch $@
