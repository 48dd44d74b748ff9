# The two commands: `make run` and `make test`. Everything they need is installed here.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup run test check format train clean tensorflow stock-rasa

# The first that runs, is 3.11 or 3.12, and has venv.
FITS := import sys, venv, ensurepip; sys.exit(sys.version_info[:2] not in {(3, 11), (3, 12)})
PYTHON ?= $(shell for p in python3.12 python3.11 python3; do \
	$$p -c "$(FITS)" 2>/dev/null && echo $$p && break; done)
UV := $(shell command -v uv || echo .uv/bin/uv)
export UV_PYTHON_DOWNLOADS = never
export RASA_TELEMETRY_ENABLED = false

help: ## Show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

.uv/bin/uv: | python
	@echo "Bringing uv into this folder…"
	@$(PYTHON) -m venv .uv
	@.uv/bin/pip install --quiet --disable-pip-version-check uv

.PHONY: python
python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 with venv is needed: apt install python3 python3-venv" >&2; exit 1; }

# Up to date when the environment was made from this lock.
.venv/.ready: uv.lock pyproject.toml $(wildcard packages/*/pyproject.toml) | python $(filter .uv/bin/uv,$(UV))
	@echo "Installing from uv.lock…"
	@$(UV) sync --locked --python $(PYTHON)
	@touch $@

setup: .venv/.ready ## Install everything

run: setup ## Start Frontdesk with a demo shop on http://127.0.0.1:8000
	@exec .venv/bin/frontdesk serve

train: setup ## Train the model when its data changed
	@.venv/bin/frontdesk train

check: setup ## Format, lint, types and import contract
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

test: check train ## Run every check and every test
	.venv/bin/pytest

format: setup ## Format the code
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

tensorflow: ## A second environment with the real TensorFlow, for DIET and TED (Python 3.11)
	@sh packages/tensorflow/install-real.sh

stock-rasa: | $(filter .uv/bin/uv,$(UV)) ## Rasa as released in an environment of its own, to measure beside ours (Python 3.8 to 3.10)
	@sh benchmarks/stock-rasa.sh

clean: ## Remove environment, models and local state
	rm -rf .venv .uv .frontdesk .rasa models results
