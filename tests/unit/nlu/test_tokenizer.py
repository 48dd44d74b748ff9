"""The tokenizer: places stay, no message takes long, and memory does not grow."""

from __future__ import annotations

import itertools
import string
import time

import pytest
import spacy
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.tokenizer import BlankSpacyTokenizer, PassingWords, short_words


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


def test_words_that_nobody_writes_again_do_not_stay() -> None:
    nlp = spacy.blank("en")
    nlp.vocab.strings.add("product")
    reading, sizes = PassingWords(nlp), []
    for word in _new_words(8_000):
        with reading():
            assert [token.text for token in nlp.make_doc(f"order {word}!")] == ["order", word, "!"]
        sizes.append(len(nlp.vocab.strings))
    assert sizes[3_000] > 3_000, "usual words are read anew each time"
    assert sizes[7_999] == sizes[5_000], "each new word stays in memory for ever"
    assert "product" in nlp.vocab.strings


def test_tokens_stay_right_when_memory_is_full() -> None:
    tokenizer = BlankSpacyTokenizer(BlankSpacyTokenizer.get_default_config())
    for word in _new_words(5_000):
        tokens = tokenizer.tokenize(Message({TEXT: f"where's {word}?"}), TEXT)
        assert [token.text for token in tokens] == ["where", "'s", word, "?"]


def _new_words(number: int) -> list[str]:
    letters = string.ascii_lowercase
    return [
        "q" + "".join(some)
        for some in itertools.islice(itertools.product(letters, repeat=5), number)
    ]
