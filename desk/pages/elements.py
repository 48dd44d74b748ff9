"""The desk's pieces on the page. Each draws plain values, always as text and never as HTML.

What they show is set through `show`; what happens in them arrives as events.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments

Handler = Callable[[Any], Awaitable[None]]


class Piece(Element):
    """A component that is told what to show."""

    def __init__(self, **props: object) -> None:
        super().__init__()
        self._shown: dict[str, object] = {}
        self.show(**props)

    def show(self, **props: object) -> None:
        """Changes what is shown; the browser hears of it only when something differs."""
        changed = {
            name: value
            for name, value in props.items()
            if name not in self._shown or self._shown[name] != value
        }
        if changed:
            self._shown |= changed
            self.props.update(changed)

    def when(self, event: str, handler: Handler) -> None:
        """Calls `handler` with what the event carries."""

        async def call(event_arguments: GenericEventArguments) -> None:
            await handler(event_arguments.args)

        self.on(event, call)


class Topbar(Piece, component="components/topbar.js"):
    """Name, theme, log out."""


class Queue(Piece, component="components/queue.js"):
    """The list of conversations; events ``tab`` and ``open``."""


class Head(Piece, component="components/head.js"):
    """Who and what to do; events ``act`` and ``show``."""


class Brief(Piece, component="components/brief.js"):
    """Why a human is needed."""


class Transcript(Piece, component="components/transcript.js"):
    """The chat; events ``earlier`` and ``again``."""


class Composer(Piece, component="components/composer.js"):
    """Reply and note; events ``send`` and ``typing``."""


class Card(Piece, component="components/card.js"):
    """The customer; event ``show``."""
