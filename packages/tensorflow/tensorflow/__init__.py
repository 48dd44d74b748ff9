"""Stands in for TensorFlow, so that Rasa imports where no component uses TensorFlow.

Rasa 3.6 imports TensorFlow at start even when the pipeline has no use for it. Every name below
``tensorflow`` resolves to a placeholder: it can be imported, subclassed, named in an annotation.
The first real use (a call, an instance) raises `TensorFlowAbsentError`, which says how to have the
real library.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import Any

__version__ = "2.12.0"
__path__: list[str] = []


class TensorFlowAbsentError(Exception):
    """A component needs TensorFlow, and the stand-in is installed.

    Neither a RuntimeError, which Rasa's runner hides in one of its own, nor a ValueError, on which
    DIET loads without its model and understands nothing.
    """

    def __init__(self, name: str) -> None:
        super().__init__(
            f"'{name}' needs TensorFlow, which is not installed. A component in config.yml uses it "
            "(DIETClassifier, TEDPolicy, ResponseSelector and UnexpecTEDIntentPolicy do). Either "
            "replace that component, or install the real TensorFlow with Python 3.11: "
            "`make tensorflow`, described in docs/tensorflow.md."
        )


def _absent(name: str) -> TensorFlowAbsentError:
    """The error, as one of Rasa's own where Rasa runs: its commands print those as one line.

    Any other error of a component ends in a stack whose last line does not say why.
    """
    # Not imported: Rasa imports this module while it is itself not yet whole.
    rasa = sys.modules.get("rasa.shared.exceptions")
    if rasa is None:
        return TensorFlowAbsentError(name)
    bases = (TensorFlowAbsentError, rasa.RasaException)
    kind: type[TensorFlowAbsentError] = type(TensorFlowAbsentError.__name__, bases, {})
    return kind(name)


class _Placeholder(type):
    """The type of every name in the stand-in: a class that cannot be instantiated."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _named(f"{cls.__qualname__}.{name}")

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise _absent(cls.__qualname__)

    def __getitem__(cls, item: Any) -> Any:
        return cls


def _named(path: str) -> Any:
    return _Placeholder(
        path.rpartition(".")[2], (), {"__qualname__": path, "__module__": "tensorflow"}
    )


def placeholder(module: str, name: str) -> Any:
    """The placeholder for ``module.name``; raises AttributeError for dunder names."""
    if name.startswith("__"):
        raise AttributeError(name)
    return _named(f"{module}.{name}")


class _Module(ModuleType):
    def __getattr__(self, name: str) -> Any:
        value = placeholder(self.__name__, name)
        setattr(self, name, value)
        return value


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds every module below one package."""

    def __init__(self, package: str) -> None:
        self._below = f"{package}."

    @classmethod
    def install(cls, package: str) -> None:
        """Makes ``import package.anything`` succeed."""
        sys.meta_path.append(cls(package))

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        if not fullname.startswith(self._below):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: Any) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        module.__path__ = []


def __getattr__(name: str) -> Any:
    return placeholder(__name__, name)


Finder.install(__name__)
