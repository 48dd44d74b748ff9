"""The page can be read by people, says what the JSON says, and trusts no text."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bot.evaluation.advice import advise
from bot.evaluation.assistant import Answers
from bot.evaluation.figures import Figures
from bot.evaluation.findings import Findings, find
from bot.evaluation.report import Report
from tests.unit.evaluation.asked import EXAMPLES, FOLDS, answers, asked, neighbours

EVIL = "<script>alert('&')</script>"


def _report(found: Answers, findings: Findings) -> Report:
    figures = Figures.of(found)
    advice = advise(figures, findings)
    now = datetime(2026, 11, 25, 9, 5, tzinfo=UTC)
    return Report("my-shop", now, ["WhitespaceTokenizer"], 5, found, figures, findings, advice)


def _svgs(html: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL)]


@pytest.fixture
def full() -> Report:
    strange = [asked("the moon", "out_of_scope", ("greet", 0.4))]
    found = answers(held_out=FOLDS, strange=strange)
    return _report(found, find(EXAMPLES, FOLDS, neighbours()))


def test_the_page_has_it_all(full: Report) -> None:
    html = full.html()
    assert len(_svgs(html)) == 3
    for text in (
        "my-shop",
        "62.5\u00a0%",
        "parcel never came",
        "kept aside",
        "out of scope",
        "Hello!",
    ):
        assert text in html, text
    assert html.index("Worth mending first") < html.index("In figures")


def test_the_page_loads_and_runs_nothing(full: Report) -> None:
    html = full.html()
    assert "<script" not in html
    assert re.findall(r'(?:src|href)="(?!#)[^"]*"', html) == []
    assert "url(http" not in html
    assert "@import" not in html


def test_pictures_take_the_pages_colours_and_do_not_share_names(full: Report) -> None:
    svgs = _svgs(full.html())
    text = b"".join(map(ElementTree.tostring, svgs)).decode()
    assert "var(--ink)" in text
    assert "#0" not in re.sub(r"(?:url\(|href=\")#", "", text)
    names = [
        e.get("id")
        for svg in svgs
        for e in svg.iter()
        if re.match("[mp][0-9a-f]{6}", e.get("id") or "")
    ]
    assert len(names) == len(set(names))


def test_every_text_is_escaped(full: Report) -> None:
    one = asked(EVIL, f"{EVIL}$a$", (f"b{EVIL}", 0.9), (f"{EVIL}$a$", 0.1))
    two = asked("other", f"b{EVIL}", (f"b{EVIL}", 0.9))
    folds = [one, two]
    found = replace(answers(), folds=folds, examples=EXAMPLES)
    near = replace(find(EXAMPLES, FOLDS, neighbours()))
    confusion = replace(near.mislabelled[0], text=EVIL, intent=EVIL, cause=EVIL)
    report = _report(found, replace(near, mislabelled=[confusion]))
    html = replace(report, title=EVIL, components=[EVIL]).html()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    # In the pictures too, and a dollar sign there is a dollar sign.
    assert f"{EVIL}$a$" in [e.text for svg in _svgs(html) for e in svg.iter()]


def test_a_page_with_nothing_to_say() -> None:
    good = [FOLDS[0], FOLDS[2], FOLDS[4]]
    found = replace(answers(), folds=good)
    html = _report(found, Findings([], [], [], [], [], [])).html()
    assert "Nothing is." in html
    assert "Is it as sure as it is right?" in html
    assert "kept aside" not in html


def test_the_json_says_the_same(full: Report, tmp_path: Path) -> None:
    page = full.write(tmp_path / "new" / "folder")
    assert page.read_text() == full.html()
    facts = json.loads((page.parent / "report.json").read_text())
    assert facts["figures"]["folds"]["accuracy"] == 0.625
    assert facts["figures"]["scope"]["messages"] == 1
    assert facts["findings"]["conflicts"][0]["intents"] == ["bye", "greet"]
    assert len(facts["mend_first"]) == 3
