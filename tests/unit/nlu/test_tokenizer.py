"""The tokenizer: places stay, and no message takes long."""

from __future__ import annotations

import time

import pytest
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.tokenizer import BlankSpacyTokenizer, short_words


@pytest.mark.parametrize("piece", ["👍", "!", "a", "a-", "https://", " "])
def test_a_long_word_takes_bounded_time(piece: str) -> None:
    tokenizer = BlankSpacyTokenizer(BlankSpacyTokenizer.get_default_config())
    began = time.process_time()
    tokens = tokenizer.tokenize(Message({TEXT: piece * 5_000}), TEXT)
    assert time.process_time() - began < 2.0
    assert tokens


def test_ordinary_text_is_left_as_it_is_and_places_stay() -> None:
    text = "where's FD-104233? 👍 " + "x" * 99
    assert short_words(text) == text
    long = "see " + "y" * 250 + " end"
    assert len(short_words(long)) == len(long)
    assert short_words(long).endswith(" end")
