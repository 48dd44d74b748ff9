"""Where a message may be divided."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.nlu.clauses import MAX_CLAUSES, join, split

PIECES = st.lists(
    st.sampled_from(["cancel it", " and ", ", ", "?", "\n", " n ", "FD-104233", " & ", ". ", "é😡"])
    | st.text(max_size=5)
)


def texts(message: str) -> list[str]:
    return [clause.text for clause in split(message)]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("cancel it and where is my refund", ["cancel it", "where is my refund"]),
        ("pls cancel n wheres my money", ["pls cancel", "wheres my money"]),
        ("Where is it? And also: how do I pay?", ["Where is it?", "how do I pay?"]),
        ("cancel it & refund me", ["cancel it", "refund me"]),
        ("first one\n\n- second one", ["first one", "second one"]),
        ("first: cancel it. second, pay", ["cancel it", "pay"]),
        ("nice but too small", ["nice", "too small"]),
        ("it broke; then it burned", ["it broke", "it burned"]),
        ("cancel it, if so can i reorder", ["cancel it", "can i reorder"]),
        ("cancel it, plus, by the way, how do i pay", ["cancel it", "how do i pay"]),
        ("maya@example.com, open at 9.30", ["maya@example.com", "open at 9.30"]),
        ("cancel it. #104233", ["cancel it", "#104233"]),  # its sign is part of the number
        ("cancel it and /restart", ["cancel it", "restart"]),  # never Rasa's shorthand
        ("a standard sandal", ["a standard sandal"]),
        ("and", []),
        ("?!… 👍", []),
        ("", []),
    ],
)
def test_messages_are_divided_where_something_new_may_begin(
    message: str, expected: list[str]
) -> None:
    assert texts(message) == expected


@given(PIECES.map("".join))
def test_clauses_are_pieces_of_the_message_in_order(message: str) -> None:
    clauses = split(message)
    end = 0
    for clause in clauses:
        assert end <= clause.start < clause.end
        assert message[clause.start : clause.end] == clause.text == clause.text.strip()
        end = clause.end
    assert len(clauses) <= MAX_CLAUSES
    if clauses:
        assert join(message, clauses).text == message[clauses[0].start : clauses[-1].end]


@given(st.text(alphabet="abc ", min_size=1).filter(str.strip))
def test_words_alone_are_one_clause(message: str) -> None:
    assert texts(message) == [message.strip()]


@pytest.mark.parametrize(
    "piece", ["and ", "a and ", ", ", "so ", "one more ", "by the ", "\n", "x? "]
)
@pytest.mark.timeout(60)
def test_time_grows_with_the_length_and_not_with_its_square(piece: str) -> None:
    # Under a second; with the square of the length it would be hours.
    assert len(split(piece * (1_000_000 // len(piece)))) <= MAX_CLAUSES
