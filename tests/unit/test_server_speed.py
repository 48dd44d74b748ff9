"""The server runs on uvloop and httptools, which the lock brings."""

from __future__ import annotations

import uvicorn
import uvloop
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


def test_uvicorn_takes_them() -> None:
    config = uvicorn.Config(FastAPI())
    config.load()
    assert config.get_loop_factory() is uvloop.new_event_loop
    assert config.http_protocol_class is HttpToolsProtocol
