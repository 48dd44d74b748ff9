"""CSV files are read strictly, and a choice of few examples is the same for the same seed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bot.core.errors import ConfigurationError
from bot.evaluation.examples import Example, digest, few, read_csv


def _file(folder: Path, content: str | bytes) -> Path:
    path = folder / "data.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("label", ["intent", "category"])
def test_both_names_of_the_label(tmp_path: Path, label: str) -> None:
    path = _file(tmp_path, f'text,{label}\n"hello, you", greet \r\n/bye [x](y),bye\n')
    assert read_csv(path) == [Example("hello, you", "greet"), Example("/bye [x](y)", "bye")]


def test_a_byte_order_mark_and_other_columns_are_no_harm(tmp_path: Path) -> None:
    path = _file(tmp_path, "﻿id,intent,text\n1,greet,hëllo\n")
    assert read_csv(path) == [Example("hëllo", "greet")]


def test_messages_out_of_scope_need_a_text_only(tmp_path: Path) -> None:
    assert read_csv(_file(tmp_path, "text\nwho won\n"), labelled=False) == [Example("who won", "")]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("message,intent\na,b\n", "must begin with the line"),
        ("text\na\n", "must begin with the line"),
        ("", "must begin with the line"),
        ("text,intent\n", "has no rows"),
        ("text,intent\na,b\n ,b\n", "line 3 has no text"),
        ("text,intent\na\n", "line 2 has no intent"),
        ("text,intent\nhello, you,greet\n", "line 2 has more values"),
        ('text,intent\n"a,b\n', "is not CSV"),
        ("text,intent\nhëllo,greet\n".encode("latin-1"), "is not UTF-8"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: str | bytes, problem: str) -> None:
    path = _file(tmp_path, content)
    with pytest.raises(ConfigurationError, match=problem) as caught:
        read_csv(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_csv(tmp_path / "none.csv")


def test_few_examples_of_each_intent() -> None:
    many = [Example(f"{intent} {i}", intent) for intent in "abc" for i in range(9)]
    many.append(Example("alone", "d"))
    chosen = few(many, 4, seed=1)
    assert Counter(e.intent for e in chosen) == {"a": 4, "b": 4, "c": 4, "d": 1}
    assert len(set(chosen)) == len(chosen)
    assert chosen == few(many, 4, seed=1)
    assert chosen != few(many, 4, seed=2)


def test_digest_follows_the_content(tmp_path: Path) -> None:
    first = digest(_file(tmp_path, "a"))
    assert first != digest(_file(tmp_path, "b"))
