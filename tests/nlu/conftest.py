"""The trained assistant, loaded once for all tests of its understanding."""

from __future__ import annotations

from pathlib import Path

import pytest
from rasa.core.agent import Agent

from tests.process import trained_model


@pytest.fixture(scope="session")
def model() -> Path:
    """The model's file."""
    return trained_model()


@pytest.fixture(scope="session")
def agent(model: Path) -> Agent:
    """Rasa's agent with the model."""
    return Agent.load(model)
