"""Messages are read as they were meant, and what was typed stays as it is."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from bot.nlu.normalizer import normalize
from bot.nlu.signs import MAX_CHARACTERS, Signs
from bot.nlu.spelling import Vocabulary, count_words, english_words

COUNTS = {
    "order": 90,
    "where": 60,
    "you": 200,
    "the": 200,
    "refund": 30,
    "return": 40,
    "delivery": 40,
    "delivered": 9,
    "cancel": 12,
    "helpful": 5,
    "wellies": 3,
    "address": 8,
    "reserve": 2,
    "blouse": 3,
    "blazer": 3,
}
WORDS = Vocabulary(COUNTS, english_words())

SIGNS = {
    "👍": "yes",
    "👍🏿": "yes",
    "👎🏽": "no",
    "😡😡😡": "angry",
    "❤️": "love it",
    "❤": "love it",
    "🤷🏽‍♀️": "not sure",
    "my 📦 is late": "my parcel is late",
    "where is it🚚?": "where is it delivery ?",
    "🦥": "sloth",
    "👩‍💻": "woman personal computer",
    "🇬🇧": "gb",
    "1️⃣": "1",
}
UNSEEN = {
    "re\u200bfund": "refund",
    "\ufeffhello\u00ad": "hello",
    "\u202eabc\u202c": "abc",
    "where\u00a0is\u3000it": "where is it",
    "a\x00b\x1fc": "a b c",
    "h̷e̷l̷l̷o̷": "hello",
    "ｒｅｆｕｎｄ": "refund",
    "ﬁne": "fine",
    "cafe\u0301": "café",
    "नमस्ते": "नमस्ते",
    "\ud800 hi": "hi",
    "where’s “it”": 'where\'s "it"',
}
REPEATED = {
    "heeelp": "help",
    "soooo": "so",
    "helloooo": "hello",
    "reallllly goooood": "really good",
    "pleeeeeaaase": "please",
    "HEEELP": "help",
    "hmmmmm": "hmm",
    "zzzzqqqqqqqqqqqqqqqqq": "zzqq",
    "wait.....": "wait.....",
    "committee": "committee",
}
MISTYPED = {
    "wehre is my odrer": "where is my order",
    "delivry": "delivery",
    "ordr, retrun/refnud": "order, return/refund",
    "Retrun it. Cancle it": "return it. cancel it",
    "WHERE IS MY ODRER": "WHERE IS MY order",
    "teh": "the",
    "adress": "address",
    "deilvrey": "delivery",
    "dlievered": "delivered",
}
LINKS = {
    "https://shop.example/p/104233?x=1": "link",
    "look (www.shop.example/a)": "look (link",
    "shop.com/returns and more": "link and more",
    "see http://a.b c": "see link c",
}
AS_TYPED = [
    "order FD-104233",
    "#104233",
    "ordr104233",
    "JUN-ODRR-CANC",
    "code ODRER please",
    "maya.odrer@retrun.example",
    "@odrer_shop",
    "odrer.com",
    "iPhone and PayPal",
    "i am Ordre Smith",
    "Smyth",
    "unhelpful",
    "house",
    "horse",
    "refuse",
    "shouldn't",
    "shouldnt",
    "+44 7700 900100",
    "£12.50",
    "size 10.5",
    "/restart",
    "/order_status",
    "[photo]",
    "",
]


@pytest.mark.parametrize(
    ("typed", "read"), (SIGNS | UNSEEN | REPEATED | MISTYPED | LINKS).items(), ids=ascii
)
def test_is_read_as(typed: str, read: str) -> None:
    assert normalize(typed, WORDS) == read


@pytest.mark.parametrize("typed", AS_TYPED)
def test_stays_as_typed(typed: str) -> None:
    assert normalize(typed, WORDS) == typed


def test_a_word_between_two_is_left_alone() -> None:
    near = {"cart": 10, "care": 9}
    assert normalize("caer", Vocabulary(near)) == "care"
    assert normalize("carr", Vocabulary(near)) == "carr", "it may be either"
    assert normalize("carr", Vocabulary({"cart": 40, "care": 9})) == "cart"


def test_only_mistakes_of_fingers_and_ears_are_corrected() -> None:
    known = Vocabulary({"better": 50, "packing": 50, "minutes": 50})
    for word in ("wetter", "backing", "sminutes"):
        assert normalize(word, known) == word


@given(st.sampled_from(sorted(COUNTS)), st.text("abcdefghi", max_size=12), st.integers(0, 9))
def test_the_index_finds_what_a_search_of_all_words_finds(word: str, other: str, at: int) -> None:
    for typed in (other, word[:at] + word[at + 1 :], word[:at] + other[:2] + word[at:]):
        allowed = 2 if len(typed) >= 8 else 1
        near = [w for w in COUNTS if OSA.distance(typed, w) <= allowed]
        read = normalize(typed, Vocabulary(COUNTS))
        plain = {Vocabulary(known).without_repeats(typed) for known in ({}, COUNTS)}
        assert read in near or read in plain
        if len(near) == 1 and len(typed) == len(near[0]) - 1 > 3:
            assert read == near[0], "one letter was left out"


ODD = st.text(
    st.one_of(
        st.sampled_from("aeorrddfnu'-./:@ \n\x00\u200d\ufe0f\u0301\u0307\u202e\ud800İß👍🏿♀️🇬❤½"),
        st.characters(),
    ),
    max_size=60,
)
PIECES = st.sampled_from(
    [
        "odrer ",
        "Odrer ",
        "heeelp",
        "https://x.io/",
        "www.",
        "👍",
        "İ",
        "ﷺ",
        "SHOUT ",
        "\n",
        "x" * 150,
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(ODD, PIECES, ODD.map(lambda text: text * 30))).map("".join))
def test_any_text_is_read_and_reading_twice_changes_nothing(text: str) -> None:
    once = normalize(text, WORDS)
    assert normalize(once, WORDS) == once
    assert len(once) <= MAX_CHARACTERS
    assert once == once.strip()
    once.encode("utf-8")


@pytest.mark.parametrize(
    "text",
    ["x", "odrer ", "👍", "é", "ﷺ", "a.b", "ab", "aaa bbb", "'", "http://", "www.", "a-", "a.me"],
)
def test_long_texts_take_no_longer(text: str) -> None:
    start = time.thread_time()
    assert 0 < len(normalize(text * 10_000, WORDS)) <= MAX_CHARACTERS
    assert time.thread_time() - start < 0.1, "measured: 0.01"


def test_language_without_a_list_of_words_and_emoji_of_ones_own() -> None:
    plain = Vocabulary({"hallo": 3}, spelling=False)
    assert normalize("hallooo hallo hlalo", plain) == "hallo hallo hlalo"
    own = Signs({"🧥": "coat", "👩🏽‍💻": "support"})
    assert normalize("🧥🧥 👩‍💻", WORDS, own) == "coat support"


def test_words_count_when_they_are_no_mistakes() -> None:
    texts = ["Order order", "my odrer", "my wellies", "fancy wellies"]
    counted = count_words(texts, ["Rain Boots"], {"fancy"})
    assert counted == {"boots": 1, "fancy": 1, "my": 2, "rain": 1, "wellies": 2}
