"""Imports what takes a server seconds to import, for servers that are forked (`tests/process.py`).

Libraries only: each server imports what is ours itself, with the environment it was given. None of
them may start a thread, which a fork would leave behind; onnxruntime does.
"""

# ruff: noqa: E402, F401

from __future__ import annotations

from bot.commands.loading import one_numeric_thread, quieten_imports

quieten_imports()
one_numeric_thread()

import alembic.command
import asyncpg
import fastapi_offline
import nicegui
import onnx
import rasa.core.agent
import rasa.engine.recipes.default_components
import spacy
import uvicorn
