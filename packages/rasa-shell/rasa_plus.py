"""A plugin for Rasa's command line; `rasa.plugin` looks for plugins in a module of this name.

Rasa 3.6 was written for Sanic 21, of which two things are gone by default. Newer ones serve in
worker processes, and Rasa's console reads the terminal inside the server, which a worker does not
have: they are told to serve in one process, which they still can. And streamed answers, which the
console asks for, have another name.
"""

from __future__ import annotations

import argparse
import sys

import pluggy
from sanic import Sanic, response
from sanic.response import ResponseStream

hookimpl = pluggy.HookimplMarker("rasa")


@hookimpl
def configure_commandline(cmdline_arguments: argparse.Namespace) -> None:
    """Called by Rasa before each of its commands."""
    Sanic.serve = Sanic.serve_single
    response.stream = ResponseStream


def init_hooks(manager: pluggy.PluginManager) -> None:
    """Called by Rasa when it looks for plugins."""
    manager.register(sys.modules[__name__])
