"""How messages are cut, numbered and given files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.messages import Attachment, Button, Content
from connectors.channels.twilio.render import Part, render
from connectors.channels.twilio.split import split, width

PUBLIC_URL = "https://chat.juniper.example"


def rendered(content: Content, *, whatsapp: bool = False) -> list[Part]:
    return render(
        content, whatsapp=whatsapp, public_url=PUBLIC_URL, choice_hint="Reply with a number."
    )


class TestSplit:
    def test_short_text_stays_whole(self) -> None:
        assert split(" a\n\nb ", 10) == ["a\n\nb"]
        assert split(" \n ", 10) == []

    def test_paragraphs_before_lines_before_sentences_before_words(self) -> None:
        assert split("aaaa bb\n\ncc dd", 11) == ["aaaa bb", "cc dd"]
        assert split("aaaa. bb\ncc dd ee", 11) == ["aaaa. bb", "cc dd ee"]
        assert split('aa "bbb." cc dd ee', 12) == ['aa "bbb."', "cc dd ee"]
        assert split("aaaa bbbb cccc", 11) == ["aaaa bbbb", "cccc"]
        assert split("abcdefghij", 4) == ["abcd", "efgh", "ij"]

    def test_a_border_just_behind_the_limit_is_used(self) -> None:
        assert split("aaaa bbbb cccc", 9) == ["aaaa bbbb", "cccc"]

    def test_no_stubs(self) -> None:
        assert split("Hi.\n\n" + "word " * 4, 20) == ["Hi.\n\nword word word", "word"]

    def test_amounts_and_addresses_are_not_torn(self) -> None:
        text = "It costs 12.50 pounds at https://juniper.example/a.b?c=d today"
        assert all(piece in text for piece in split(text, 42))
        assert "https://juniper.example/a.b?c=d" in " ".join(split(text, 42)).split()

    @given(st.text(max_size=300), st.integers(min_value=2, max_value=50))
    def test_nothing_but_white_space_is_lost(self, text: str, limit: int) -> None:
        pieces = split(text, limit)
        assert all(0 < width(piece) <= limit for piece in pieces)
        assert "".join("".join(pieces).split()) == "".join(text.split())

    def test_emoji_count_twice(self) -> None:
        assert [len(piece) for piece in split("👟" * 1000, 1600)] == [800, 200]


class TestChoices:
    buttons = (
        Button("Yes", token="tok-1", payload="/affirm"),
        Button("Our shop", url="/shop"),
        Button("No", token="tok-2", payload="/deny"),
    )

    @pytest.mark.parametrize("whatsapp", [False, True])
    def test_a_numbered_list_in_one_message_without_tokens(self, whatsapp: bool) -> None:
        (part,) = rendered(Content("Sure?", self.buttons), whatsapp=whatsapp)
        assert part.body == (
            "Sure?\n\nOur shop: https://chat.juniper.example/shop"
            "\n\n1. Yes\n2. No\nReply with a number."
        )

    def test_links_alone_ask_for_no_number(self) -> None:
        link = Button("Track it", url="https://post.example/1")
        assert rendered(Content("", (link,))) == [Part("Track it: https://post.example/1")]

    def test_a_long_text_leaves_the_list_in_one_piece(self) -> None:
        parts = rendered(Content("word " * 318, self.buttons))
        assert len(parts) == 2
        assert parts[1].body.endswith("1. Yes\n2. No\nReply with a number.")


class TestFiles:
    picture = Attachment("/media/a.jpg", "image/jpeg")

    def test_mms_carries_the_text_and_ten_files(self) -> None:
        files = tuple(Attachment(f"https://x.example/{i}.jpg") for i in range(12))
        first, second = rendered(Content("Look", attachments=files))
        assert (first.body, len(first.media)) == ("Look", 10)
        assert (second.body, len(second.media)) == ("", 2)

    def test_relative_addresses_become_absolute(self) -> None:
        assert rendered(Content("", attachments=(self.picture,))) == [
            Part("", ("https://chat.juniper.example/media/a.jpg",))
        ]

    def test_whatsapp_takes_one_file_and_a_caption_under_a_picture(self) -> None:
        url = "https://chat.juniper.example/media/a.jpg"
        assert rendered(Content("Look", attachments=(self.picture,)), whatsapp=True) == [
            Part("Look", (url,))
        ]
        two = Content("Look", attachments=(self.picture, self.picture))
        assert rendered(two, whatsapp=True) == [Part("", (url,)), Part("", (url,)), Part("Look")]

    def test_whatsapp_text_that_is_no_caption_follows(self) -> None:
        invoice = Attachment("https://x.example/i.pdf")
        assert rendered(Content("Your invoice", attachments=(invoice,)), whatsapp=True) == [
            Part("", ("https://x.example/i.pdf",)),
            Part("Your invoice"),
        ]
        long = Content("x" * 1025, attachments=(self.picture,))
        assert [p.body for p in rendered(long, whatsapp=True)] == ["", "x" * 1025]

    def test_what_is_no_file_is_named_in_the_text(self) -> None:
        place = Attachment("geo:53.79,-1.54", "application/geo+json", "Leeds")
        assert rendered(Content("We are here", attachments=(place,))) == [
            Part("We are here\n\nLeeds geo:53.79,-1.54")
        ]


def test_nothing_to_say_is_no_message() -> None:
    assert rendered(Content("  ")) == []
