"""A model's archive, looked at before anything in it is unpacked."""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.version import InvalidVersion
from packaging.version import parse as parse_version
from rasa.constants import MINIMUM_COMPATIBLE_VERSION
from rasa.version import __version__ as rasa_version

from bot.core.errors import ModelError

# Bytes; a model with DIET and TED has some 100 MB, unpacked 300.
LARGEST_ARCHIVE = 1_000_000_000
LARGEST_CONTENT = 4_000_000_000
MOST_FILES = 10_000
_LARGEST_METADATA = 64_000_000
_METADATA = "metadata.json"
_PART = 1_000_000
_NEXT = "Train a new one: frontdesk train."


@dataclass(frozen=True, slots=True)
class Archive:
    """What is known of an archive without loading it.

    Attributes:
        sha256, size: Of the file; size in bytes.
        trained_at: None where the archive does not say it.
    """

    path: Path
    sha256: str
    size: int
    trained_at: datetime | None


def digest_of(path: Path) -> str:
    """The sha256 of a file.

    Raises:
        ModelError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"The model {path} cannot be read ({error.strerror}).") from error


def parts_of(path: Path) -> Iterator[bytes]:
    """A file's bytes, a megabyte at a time."""
    with path.open("rb") as file:
        while data := file.read(_PART):
            yield data


def inspect(path: Path, sha256: str | None = None) -> Archive:
    """Checks an archive: whole, unaltered, harmless to unpack, and of this version of Rasa.

    Args:
        sha256: The digest it must have; None for a new archive.

    Raises:
        ModelError: Says what is wrong with it.
    """
    found = digest_of(path)
    if sha256 is not None and found != sha256:
        raise ModelError(
            f"The model {path.name} was altered: its sha256 is not the registered one."
        )
    size = path.stat().st_size
    if size > LARGEST_ARCHIVE:
        raise ModelError(f"The model {path.name} is too large: {size} bytes.")
    try:
        metadata = _metadata(path)
    except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError) as error:
        raise ModelError(f"The model {path.name} is broken ({error}). {_NEXT}") from error
    _check_version(path.name, str(metadata.get("rasa_open_source_version")))
    return Archive(path, found, size, _time(metadata.get("trained_at")))


def _metadata(path: Path) -> dict[str, Any]:
    """Reads the archive to its end, so that its own checksum is compared too."""
    metadata: object = None
    unpacked = 0
    with gzip.open(path) as stream:
        with tarfile.open(fileobj=stream, mode="r:") as tar:
            for number, member in enumerate(tar):
                _check_member(member)
                unpacked += member.size
                if unpacked > LARGEST_CONTENT or number >= MOST_FILES:
                    raise ValueError("it holds more than a model can")
                if member.name == _METADATA and member.size <= _LARGEST_METADATA:
                    content = tar.extractfile(member)
                    metadata = json.load(content) if content else None
        _read_rest(stream)
    if not isinstance(metadata, dict):
        raise ValueError(f"it has no {_METADATA}")
    return metadata


def _check_member(member: tarfile.TarInfo) -> None:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        raise ValueError("a file in it would be unpacked outside of its folder")
    if not (member.isreg() or member.isdir()):
        raise ValueError("it holds a link or a device")


def _read_rest(stream: gzip.GzipFile) -> None:
    read = 0
    while data := stream.read(_PART):
        read += len(data)
        if read > LARGEST_CONTENT:
            raise ValueError("it does not end")


def _check_version(name: str, trained_by: str) -> None:
    try:
        version = parse_version(trained_by)
        fits = parse_version(MINIMUM_COMPATIBLE_VERSION) <= version <= parse_version(rasa_version)
    except InvalidVersion:
        fits = False
    if not fits:
        raise ModelError(
            f"The model {name} was made by Rasa {trained_by}; installed is {rasa_version}. {_NEXT}"
        )


def _time(text: object) -> datetime | None:
    # Rasa writes UTC without saying so.
    try:
        return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
    except ValueError:
        return None
