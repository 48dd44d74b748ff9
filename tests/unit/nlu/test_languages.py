"""Examples in other languages: found, told, and not seen where there are none."""

from __future__ import annotations

import pytest
from rasa.shared.nlu.training_data.loading import load_data

from bot.nlu.languages import foreign_examples, language_of
from tests.process import ROOT


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("wo ist meine Bestellung", "German"),
        ("je voudrais retourner cette robe", "French"),
        ("dónde está mi pedido", "Spanish"),
        ("waar is mijn bestelling", "Dutch"),
        ("где мой заказ", "Cyrillic script"),
        ("我的订单在哪里", "Cjk script"),
        ("wheres my stuff", None),
        ("FD-104233", None),
        ("no", None),
        ("👍", None),
        ("", None),
    ],
)
def test_languages(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_slang_and_misspellings_stay_english() -> None:
    examples = load_data(str(ROOT / "data" / "nlu")).intent_examples
    assert foreign_examples(m.get("text") for m in examples).total() < len(examples) / 100
