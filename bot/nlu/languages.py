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

from spacy.lang.en.stop_words import STOP_WORDS as ENGLISH

# The words that carry a sentence. spaCy has longer lists, but importing its French alone takes
# seconds, which every start would pay for.
_LANGUAGES = {
    name: frozenset(words.split())
    for name, words in {
        "Danish": "jeg du er det den ikke og hvor hvornår hvad min mit mine har kan vil til fra på "
        "af der som en et hvordan skal være med også",
        "Dutch": "ik je is het de een niet en waar wanneer wat mijn heb hebt kan kunt wil naar "
        "van op met voor hoe moet zijn ook nog deze",
        "French": "je tu est le la les un une des du ne pas et où quand que quoi mon ma mes ai "
        "avez vous nous peux voudrais pour dans avec sur comment cette ce",
        "German": "ich du ist der die das ein eine einen nicht und wo wann was mein meine meinen "
        "habe haben kann können möchte zu von auf mit für wie muss auch noch bitte kommt",
        "Italian": "io è il lo la gli un una non e dove dov quando che cosa mio mia miei ho avete "
        "posso vorrei per con su come questo questa della del sono",
        "Polish": "ja jest nie i gdzie kiedy co mój moja moje mam czy mogę chcę do od na z dla jak "
        "się to ta ten proszę moją",
        "Portuguese": "eu é o os as um uma não e onde quando que meu minha meus tenho posso "
        "quero para com em como este esta está são por favor",
        "Spanish": "yo es el la los las un una no y dónde cuándo qué mi mis tengo puedo quiero "
        "para con en cómo este esta está son por favor del",
        "Swedish": "jag du är det den inte och var när vad min mitt mina har kan vill till från "
        "på av som en ett hur ska vara med också",
    }.items()
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
