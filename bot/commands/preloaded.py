"""Imports what takes a server seconds to import, for workers that are forked (`supervise.py`).

They share its memory, half of what a worker needs. Libraries only: what is ours is imported by each
worker itself. None of them may start a thread, which a fork would leave behind; onnxruntime does.
"""

# ruff: noqa: E402, F401

from __future__ import annotations

import gc

from bot.commands.loading import one_numeric_thread, quieten_imports

quieten_imports()
one_numeric_thread()
gc.disable()

import alembic.command
import asyncpg
import fastapi_offline
import nicegui
import onnx
import rasa.core.agent
import rasa.engine.recipes.default_components
import spacy
import uvicorn

# Collecting would write to every object, and so copy the memory that workers share.
gc.freeze()
gc.enable()
