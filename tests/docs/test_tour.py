"""The README's ten-minute tour, followed word by word in a copy of the assistant."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.core.errors import ConfigurationError
from bot.model_files import Project
from bot.training import check
from connectors.demo.cast import MAYA, TOM
from connectors.demo.generate import seed
from tests.docs.markdown import ROOT, Block, page

ASSISTANT = ("config.yml", "domain.yml", "credentials.yml", "data", "actions")
MERGED = ("domain.yml", "credentials.yml")
ACTION = "action_gift_wrap"


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the assistant with all that the tour adds."""
    folder = tmp_path_factory.mktemp("tour")
    for name in ASSISTANT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    for block in steps():
        apply(block, folder / block.file)
    return folder


def steps() -> list[Block]:
    """The tour's blocks that name a file, in order."""
    return [block for block in page("README.md").blocks if block.file]


def apply(block: Block, file: Path) -> None:
    """Does what the tour says: new lines under the keys that are there, or a file of its own."""
    if file.name not in MERGED:
        file.write_text(block.text, encoding="utf-8")
        return
    known = yaml.safe_load(file.read_text(encoding="utf-8"))
    for key, added in yaml.safe_load(block.text).items():
        if isinstance(added, list):
            known[key] = [*known[key], *added]
        else:
            known[key] = {**known.get(key, {}), **added}
    file.write_text(yaml.safe_dump(known, allow_unicode=True), encoding="utf-8")


def test_the_tour_shows_every_kind_of_change() -> None:
    changed = {block.file for block in steps()}
    assert {"domain.yml", "credentials.yml", "actions/gift_wrap.py"} <= changed
    assert {"data/nlu/gift_wrap.yml", "data/rules/gift_wrap.yml"} <= changed


def test_new_files_are_new_and_changed_ones_are_there() -> None:
    for block in steps():
        assert (ROOT / block.file).exists() == (block.file in MERGED), block.file


def test_the_answer_that_is_changed_exists() -> None:
    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    first = yaml.safe_load(next(b.text for b in steps() if b.file == "domain.yml"))
    assert first["responses"].keys() <= domain["responses"].keys()


def test_the_intent_has_an_answer_before_there_is_an_action() -> None:
    before = steps()[: [block.file for block in steps()].index("actions/gift_wrap.py")]
    rules = yaml.safe_load(next(b.text for b in before if "/rules/" in b.file))
    said = {step["action"] for step in rules["rules"][0]["steps"] if "action" in step}
    added = [yaml.safe_load(b.text).get("responses", {}) for b in before if b.file == "domain.yml"]
    assert said <= {name for responses in added for name in responses}


def test_training_would_accept_it(assistant: Path) -> None:
    check(Project(assistant, assistant / "state"))


def test_training_would_refuse_it_without_the_domain(assistant: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(assistant, broken)
    shutil.copy(ROOT / "domain.yml", broken / "domain.yml")
    with pytest.raises(ConfigurationError, match="gift_wrap"):
        check(Project(broken, broken / "state"))


def test_the_action_answers_from_the_shop(assistant: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    asyncio.run(seed(url, datetime.now(UTC).date()))
    maya = {"identity": "confirmed", "customer_id": MAYA.id}
    tom = {"identity": "confirmed", "customer_id": TOM.id}
    stranger = {"identity": "anonymous", "customer_id": MAYA.id}
    to_maya, to_tom, to_stranger = run(assistant, url, [maya, tom, stranger])

    (possible,) = to_maya["responses"]
    assert possible["response"] == "utter_gift_wrap_possible"
    assert possible["order"] == "FD-104234"
    assert [r["response"] for r in to_tom["responses"]] == ["utter_gift_wrap_too_late"]
    assert [r["response"] for r in to_stranger["responses"]] == ["utter_verify_intro"]
    assert {"event": "followup", "name": "verify_form"}.items() <= to_stranger["events"][-1].items()


def run(assistant: Path, shop_url: str, customers: list[dict[str, str]]) -> list[Any]:
    """What the tour's action answers each customer."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.docs.run_action", ACTION, shop_url],
        input=json.dumps(customers),
        cwd=assistant,
        env=os.environ | {"PYTHONPATH": f"{assistant}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def test_the_words_fit_the_action(assistant: Path) -> None:
    domain = yaml.safe_load((assistant / "domain.yml").read_text(encoding="utf-8"))
    assert ACTION in domain["actions"]
    for text in domain["responses"]["utter_gift_wrap_possible"]:
        assert "{order}" in text["text"]
