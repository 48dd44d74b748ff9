"""Stands in for Keras, as `tensorflow` beside it does for TensorFlow."""

from tensorflow import Finder, __version__, placeholder

__path__: list[str] = []
__all__ = ["__version__"]

Finder.install(__name__)


def __getattr__(name: str) -> object:
    return placeholder(__name__, name)
