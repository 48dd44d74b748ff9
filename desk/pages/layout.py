"""Where the desk's pieces stand on the page."""

from __future__ import annotations

from nicegui import ui

from bot.core.access import Agent
from bot.core.identity import Identity
from desk.pages import customer, elements, views
from desk.pages.sessions import BASE

_PANES = ("queue", "chat", "card")
_SAYINGS = {"done": ("check", 2), "refused": ("front_hand", 6), "failed": ("cloud_off", 8)}


class Layout:
    """Three columns on a wide window, one pane at a time on a narrow one.

    Attributes:
        top, queue, head, transcript, composer, card: The pieces; tell them what to `show`.
    """

    def __init__(self, agent: Agent, longest_text: int) -> None:
        ui.add_head_html(
            f'<link rel="stylesheet" href="{BASE}/static/desk.css">'
            f'<script src="{BASE}/static/desk.js"></script>'
        )
        self.top = elements.Topbar(base=BASE, name=agent.name, email=agent.email, problem="")
        with ui.element("main").classes("desk") as self._frame:
            self.queue = elements.Queue(tabs=[], tab="waiting", lines=[], empty="", loaded=False)
            with ui.element("section").classes("chat") as self._chat:
                self.head = elements.Head(title="", via="", state="", tone="", actions=[])
                self._brief = elements.Brief(title="", text="", facts=[], at=0, answered=False)
                self.transcript = elements.Transcript(messages=[], earlier=False, typing="")
                self.composer = elements.Composer(
                    conversation="", mayReply=False, hint="", longest=longest_text
                )
            with ui.element("section").classes("nothing") as self._nothing:
                ui.label("Choose a conversation from the list")
            self.card = elements.Card(card=customer.card(None, Identity.ANONYMOUS))
        self._title = ""
        for piece in (self.head, self.card):
            piece.when("show", self._choose_pane)
        self.show_chat(shown=False)

    async def _choose_pane(self, pane: object) -> None:
        self.show_pane(str(pane))

    def show_pane(self, pane: str) -> None:
        """What a narrow window shows."""
        if pane in _PANES:
            self._frame.classes(replace=f"desk show-{pane}")

    def show_chat(self, *, shown: bool) -> None:
        """The chat and the card, or the hint to choose a conversation."""
        for piece in (self._chat, self.card):
            piece.set_visibility(shown)
        self._nothing.set_visibility(not shown)

    def say(self, text: str, kind: str) -> None:
        """Tells the agent what became of something: ``done``, ``refused`` or ``failed``."""
        icon, seconds = _SAYINGS[kind]
        classes = f"said-{kind}"
        ui.notify(text, position="top", icon=icon, timeout=seconds * 1000, classes=classes)

    def show_brief(self, brief: views.View | None) -> None:
        """Why a human is needed; None when no human is."""
        self._brief.set_visibility(brief is not None)
        if brief is not None:
            self._brief.show(**brief)

    def show_title(self, waiting: int) -> None:
        """How many wait, in the browser's tab."""
        title = f"({waiting}) Desk" if waiting else "Desk"
        if title != self._title:
            self._title = title
            ui.page_title(title)
