"""The one body that the widget sends, parsed strictly."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.core.errors import PayloadError

TEXT_LIMIT = 4_000


class SentMessage(BaseModel):
    """``POST …/messages``.

    Attributes:
        id: Chosen by the widget, the same for every attempt to send this message.
        text: What the customer typed, or the title of the button that was pressed.
        button: The token of that button.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    id: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[!-~]+$")]
    text: Annotated[str, Field(max_length=TEXT_LIMIT)] = ""
    button: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> SentMessage:
        if not self.button and not clean(self.text):
            raise ValueError("text and button are both empty")
        return self


def clean(text: str) -> str:
    """The text without outer space and without NUL, which PostgreSQL does not store."""
    return text.replace("\0", "").strip()


def parse(body: bytes) -> SentMessage:
    """Reads the body.

    Raises:
        PayloadError: With the field and what is wrong with it, never with what it holds.
    """
    try:
        return SentMessage.model_validate_json(body)
    except ValidationError as error:
        # The first problem is enough to mend the request; the value may be what a customer wrote.
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])[:60] or "body"
        raise PayloadError(f"{field}: {first['msg']}") from None
