"""Model archives made of another one: with other words, or broken in one way."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Change = Callable[[bytes], bytes]
METADATA = "metadata.json"


def repack(
    source: Path,
    target: Path,
    changes: dict[str, Change] | None = None,
    extra: tuple[tarfile.TarInfo, bytes] | None = None,
) -> Path:
    """Writes a copy of an archive, with some of its files changed and perhaps one more."""
    changes = changes or {}
    with tarfile.open(source) as old, tarfile.open(target, "w:gz", compresslevel=1) as new:
        for member in old:
            file = old.extractfile(member) if member.isreg() else None
            if file is None:
                new.addfile(member)
                continue
            data = file.read()
            if member.name in changes:
                data = changes[member.name](data)
            member.size = len(data)
            new.addfile(member, io.BytesIO(data))
        if extra:
            new.addfile(extra[0], io.BytesIO(extra[1]))
    return target


def with_metadata(change: Callable[[dict[str, Any]], None]) -> dict[str, Change]:
    """A change of the archive's metadata, for `repack`."""

    def edit(data: bytes) -> bytes:
        metadata = json.loads(data)
        change(metadata)
        return json.dumps(metadata).encode()

    return {METADATA: edit}


def saying(source: Path, target: Path, response: str, text: str) -> Path:
    """A copy whose answer `response` is `text`."""

    def edit(metadata: dict[str, Any]) -> None:
        metadata["domain"]["responses"][response] = [{"text": text}]

    return repack(source, target, with_metadata(edit))


def small(target: Path, version: str = "3.6.21", content: bytes = b"x") -> Path:
    """An archive of the right form, with nothing of use in it."""
    metadata = {"rasa_open_source_version": version, "trained_at": "2026-11-01T10:00:00"}
    with tarfile.open(target, "w:gz") as tar:
        for name, data in ((METADATA, json.dumps(metadata).encode()), ("components/a", content)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return target
