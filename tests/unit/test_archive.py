"""Archives of models: what is refused before anything is unpacked."""

from __future__ import annotations

import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.core.errors import ModelError
from bot.dialogue import archive
from bot.dialogue.archive import digest_of, inspect, parts_of
from tests.archives import repack, small, with_metadata


@pytest.fixture
def model(tmp_path: Path) -> Path:
    # Not to be compressed, so that a cut is a cut through the content.
    noise = bytes((i * 7919 >> 3) % 256 for i in range(50_000))
    return small(tmp_path / "model.tar.gz", content=noise)


def test_a_good_one_says_what_it_is(model: Path) -> None:
    found = inspect(model, digest_of(model))
    assert found.size == model.stat().st_size
    assert found.trained_at == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert b"".join(parts_of(model)) == model.read_bytes()


@pytest.mark.parametrize("place", [0.2, 0.5, 0.9])
def test_an_altered_byte_is_found_with_and_without_the_digest(model: Path, place: float) -> None:
    known, data = digest_of(model), bytearray(model.read_bytes())
    data[int(len(data) * place)] ^= 1
    model.write_bytes(data)
    with pytest.raises(ModelError, match="altered"):
        inspect(model, known)
    with pytest.raises(ModelError, match="broken"):
        inspect(model)


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_truncated_one_is_broken(model: Path, kept: float) -> None:
    data = model.read_bytes()
    model.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(ModelError, match="broken"):
        inspect(model)


@pytest.mark.parametrize("name", ["../evil", "components/../../evil", "/etc/evil", "a\\..\\evil"])
def test_a_path_out_of_the_folder_is_refused(model: Path, tmp_path: Path, name: str) -> None:
    made = repack(model, tmp_path / "made.tar.gz", extra=(tarfile.TarInfo(name), b""))
    with pytest.raises(ModelError, match="outside"):
        inspect(made)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_a_link_or_a_device_is_refused(model: Path, tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("components/b")
    info.type, info.linkname = kind, "components/a"
    made = repack(model, tmp_path / "made.tar.gz", extra=(info, b""))
    with pytest.raises(ModelError, match="link or a device"):
        inspect(made)


@pytest.mark.parametrize("version", ["3.5.17", "2.8.0", "4.0.0", "None"])
def test_another_version_of_rasa_is_named(tmp_path: Path, version: str) -> None:
    with pytest.raises(ModelError, match=f"Rasa {version}; installed is"):
        inspect(small(tmp_path / "old.tar.gz", version))


def test_one_that_unpacks_to_too_much_is_refused(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "LARGEST_CONTENT", 40_000)
    with pytest.raises(ModelError, match="more than a model can"):
        inspect(model)


def test_what_is_no_model_is_refused(model: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.tar.gz"
    text.write_text("no archive")
    for path in (text, repack(model, tmp_path / "m.tar.gz", {"metadata.json": lambda _: b"[]"})):
        with pytest.raises(ModelError, match="broken"):
            inspect(path)
    with pytest.raises(ModelError, match="cannot be read"):
        inspect(tmp_path / "absent.tar.gz")


def test_a_date_that_is_none_does_not_matter(model: Path, tmp_path: Path) -> None:
    made = repack(
        model, tmp_path / "m.tar.gz", with_metadata(lambda data: data.update(trained_at="soon"))
    )
    assert inspect(made).trained_at is None
