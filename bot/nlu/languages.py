"""Which examples are not in English, as far as their most frequent words or letters tell.

The sentence encoder that comes along reads English. An assistant in another language trains with it
all the same and understands little: whoever trains it should hear why.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from spacy.lang.da.stop_words import STOP_WORDS as DANISH
from spacy.lang.de.stop_words import STOP_WORDS as GERMAN
from spacy.lang.en.stop_words import STOP_WORDS as ENGLISH
from spacy.lang.es.stop_words import STOP_WORDS as SPANISH
from spacy.lang.fr.stop_words import STOP_WORDS as FRENCH
from spacy.lang.it.stop_words import STOP_WORDS as ITALIAN
from spacy.lang.nl.stop_words import STOP_WORDS as DUTCH
from spacy.lang.pl.stop_words import STOP_WORDS as POLISH
from spacy.lang.pt.stop_words import STOP_WORDS as PORTUGUESE
from spacy.lang.sv.stop_words import STOP_WORDS as SWEDISH

_LANGUAGES = {
    "Danish": DANISH,
    "Dutch": DUTCH,
    "French": FRENCH,
    "German": GERMAN,
    "Italian": ITALIAN,
    "Polish": POLISH,
    "Portuguese": PORTUGUESE,
    "Spanish": SPANISH,
    "Swedish": SWEDISH,
}
_logger = logging.getLogger(__name__)

# A few may be examples of out_of_scope.
_FEW_FOREIGN, _FOREIGN_SHARE = 5, 0.05
_WORD = re.compile(r"[^\W\d_]+")
# One word such as "die" or "no" may be anything.
_ENOUGH_WORDS = 2


def language_of(text: str) -> str | None:
    """The language, or the script, that a text is in; None for English and where nothing tells."""
    words = [word.lower() for word in _WORD.findall(text)]
    letters = "".join(words)
    scripts = Counter(unicodedata.name(letter, "").partition(" ")[0] for letter in letters)
    script, count = scripts.most_common(1)[0] if scripts else ("LATIN", 0)
    if script != "LATIN" and count * 2 > len(letters):
        return f"{script.capitalize()} script"
    hits = {name: sum(word in common for word in words) for name, common in _LANGUAGES.items()}
    likeliest = max(hits, key=lambda name: hits[name])
    english = sum(word in ENGLISH for word in words)
    known = hits[likeliest] >= _ENOUGH_WORDS and hits[likeliest] > 2 * english
    return likeliest if known else None


def foreign_examples(texts: Iterable[str]) -> Counter[str]:
    """How many of the texts are in which language other than English."""
    return Counter(name for text in texts if (name := language_of(text)) is not None)


def report_foreign_examples(texts: Sequence[str]) -> None:
    """Warns where more than a few examples are in a language that the encoder does not read."""
    found = foreign_examples(texts)
    if found.total() < max(_FEW_FOREIGN, _FOREIGN_SHARE * len(texts)):
        return
    languages = ", ".join(f"{name} ({count})" for name, count in found.most_common())
    _logger.warning(
        "%d of %d examples are not in English: %s. The sentence encoder all-MiniLM-L6-v2 reads "
        "English only and will understand them badly. Name the folder of a multilingual encoder as "
        "'model_dir' of SentenceEncoder in config.yml: it holds tokenizer.json and model.onnx, or "
        "model.safetensors and config.json.",
        found.total(),
        len(texts),
        languages,
    )
