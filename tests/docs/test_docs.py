"""Every page: what it links to and names exists, and what it shows can be read by a machine."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from bot.bootstrap import connect_channels, connect_shop
from bot.cli import app
from bot.settings import Settings, load
from tests.docs.markdown import PAGES, ROOT, Page, shell_lines
from tests.docs.sources import environment_variables

pytestmark = pytest.mark.parametrize(
    "shown", [pytest.param(Page(path), id=path.name) for path in PAGES]
)

_TOP = ("actions", "bot", "connectors", "data", "deploy", "desk", "docs", "packages", "tests")
_PATH = re.compile(rf"(?:{'|'.join(_TOP)})/[\w./-]*|\w+\.(?:yml|toml)")
_COMMAND = re.compile(r"(?:^|[\s/])frontdesk (?=[a-z])(.*)")
_ROOT_COMMAND: Any = typer.main.get_command(app)


def test_links_lead_somewhere(shown: Page) -> None:
    for link in shown.links:
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = shown.path.parent / name if name else shown.path
        assert target.exists(), f"{shown.path.name} links to {link}"
        if anchor:
            assert anchor in Page(target).anchors, f"{shown.path.name} links to {link}"


def test_files_and_folders_exist(shown: Page) -> None:
    for span in shown.spans:
        if _PATH.fullmatch(span):
            assert (ROOT / span).exists(), f"{shown.path.name} names {span}"


def test_blocks_can_be_read(shown: Page) -> None:
    for block in shown.blocks:
        match block.language:
            case "yaml":
                assert isinstance(yaml.safe_load(block.text), dict)
            case "json":
                json.loads(block.text)
            case "python":
                compile(block.text, block.file, "exec")
            case "sh":
                read = subprocess.run(
                    ["sh", "-n"], input=block.text, text=True, capture_output=True, check=False
                )
                assert read.returncode == 0, read.stderr
            case other:
                assert other in {"html", "mermaid", "text"}, f"a block of kind {other!r}"


def test_commands_exist_with_their_flags(shown: Page) -> None:
    for line in shell_lines(shown):
        if found := _COMMAND.search(line):
            _check_command(shlex.split(found[1].replace("…", "")), line)


def _check_command(words: list[str], line: str) -> None:
    command = _ROOT_COMMAND
    while words and not words[0].startswith("-") and hasattr(command, "commands"):
        assert words[0] in command.commands, f"no such command: {line}"
        command = command.commands[words.pop(0)]
    whole = not hasattr(command, "commands") or command.invoke_without_command
    assert whole, f"not a whole command: {line}"
    flags = {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)}
    for word in words:
        if word.startswith("-"):
            assert word.partition("=")[0] in {*flags, "--help"}, f"no such flag: {line}"


def test_make_targets_exist(shown: Page) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in shell_lines(shown):
        if found := re.match(r"make ([a-z-]+)", line):
            assert found[1] in targets, f"{shown.path.name}: {line}"


def test_programs_of_the_tests_exist(shown: Page) -> None:
    for line in shell_lines(shown):
        if found := re.match(r"python -m ([\w.]+)", line):
            folder = ROOT / found[1].replace(".", "/")
            assert (folder / "__main__.py").exists() or folder.with_suffix(".py").exists()
        for path in re.findall(r"(?:pytest|--nlu|--stories) (tests/\S+)", line):
            assert (ROOT / path).exists(), line


def test_variables_are_settings(shown: Page) -> None:
    named = set(re.findall(r"FRONTDESK_[A-Z_]*[A-Z]", shown.text))
    assert named <= environment_variables()


def test_configuration_is_accepted(
    shown: Page, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "token")
    monkeypatch.setenv("TWILIO_NUMBER", "+447700900100")
    monkeypatch.setenv("FRONTDESK_SECRET_KEY", "a-secret-of-more-than-thirty-two-characters")
    monkeypatch.setenv("FRONTDESK_SHOP_URL", f"sqlite:///{tmp_path}/shop.db")
    monkeypatch.setenv("FRONTDESK_PROJECT_DIR", str(tmp_path))
    for block in shown.blocks:
        if block.file in _READERS:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
            _READERS[block.file](load())


_READERS: dict[str, Callable[[Settings], object]] = {
    "credentials.yml": connect_channels,
    "endpoints.yml": connect_shop,
}
