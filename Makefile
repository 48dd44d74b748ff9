# The two commands: `make run` and `make test`. Everything they need is installed here.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup run test check format train clean tensorflow

PYTHON ?= $(shell command -v python3.12 || command -v python3.11 || command -v python3)
UV := $(shell command -v uv || echo .uv/bin/uv)
export UV_PYTHON_DOWNLOADS = never
export RASA_TELEMETRY_ENABLED = false

help: ## Show what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

.uv/bin/uv:
	@echo "Bringing uv into this folder…"
	@$(PYTHON) -m venv .uv
	@.uv/bin/pip install --quiet --disable-pip-version-check uv

# Up to date when the environment was made from this lock.
.venv/.ready: uv.lock pyproject.toml $(wildcard packages/*/pyproject.toml) | $(filter .uv/bin/uv,$(UV))
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

clean: ## Remove environment, models and local state
	rm -rf .venv .uv .frontdesk .rasa models results
