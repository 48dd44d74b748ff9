"""Branches: when they are open, and which one is near."""

from __future__ import annotations

import math
from typing import Any

from rasa_sdk.events import SlotSet

from actions.base import ShopAction
from actions.catalogue import find_branch
from actions.formatting import address, clock, listing, local_date, phone
from actions.postcodes import whereabouts
from actions.turn import Event, Turn, link
from bot.core.shop import Branch

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MAP = "https://www.openstreetmap.org/?mlat={0}&mlon={1}#map=17/{0}/{1}"


def hours_on(branch: Branch, weekday: int) -> str:
    """``9am to 6pm``, or ``closed``."""
    span = branch.hours[weekday]
    return f"{clock(span[0])} to {clock(span[1])}" if span else "closed"


def week(branch: Branch) -> str:
    """``Mon–Fri 9am to 7pm, Sat 9am to 6pm, Sun closed``: equal neighbours together."""
    runs: list[tuple[int, int, str]] = []
    for weekday in range(7):
        hours = hours_on(branch, weekday)
        if runs and runs[-1][2] == hours:
            runs[-1] = (runs[-1][0], weekday, hours)
        else:
            runs.append((weekday, weekday, hours))
    return ", ".join(
        f"{DAYS[first]}{f'–{DAYS[last]}' if last > first else ''} {hours}"
        for first, last, hours in runs
    )


def directions(branch: Branch) -> list[dict[str, str]]:
    """A link to the branch on a map."""
    return [link("Show on a map", _MAP.format(branch.latitude, branch.longitude))]


class ActionOpeningHours(ShopAction):
    """When are you open?"""

    action_name = "action_opening_hours"

    async def answer(self, turn: Turn) -> list[Event]:
        branches = await turn.pos.branches()
        weekday = local_date(turn.context.now, turn.context.timezone).weekday()
        branch = find_branch(branches, turn.slot("branch"))
        if branch is None:
            lines = [f"• {b.name}: {hours_on(b, weekday)}" for b in branches]
            turn.say("utter_opening_hours_all", hours="\n".join(lines))
            return [SlotSet("topic", self.action_name)]
        turn.say(
            "utter_opening_hours",
            directions(branch),
            name=branch.name,
            today=hours_on(branch, weekday),
            week=week(branch),
        )
        return [SlotSet("topic", self.action_name)]


class ActionNearestBranch(ShopAction):
    """Where are you, and which of you is nearest?"""

    action_name = "action_nearest_branch"

    async def answer(self, turn: Turn) -> list[Event]:
        branches = await turn.pos.branches()
        named = find_branch(branches, turn.entity("branch"))
        if named is not None:
            self._tell(turn, named, "utter_branch")
            return [SlotSet("branch", named.city), SlotSet("topic", self.action_name)]
        postcode = turn.entity("postcode") or turn.slot("postcode")
        here = whereabouts(postcode) if postcode else None
        if here is not None and branches:
            nearest = min(branches, key=lambda b: miles(here, (b.latitude, b.longitude)))
            distance = miles(here, (nearest.latitude, nearest.longitude))
            self._tell(turn, nearest, "utter_nearest_branch", distance=miles_text(distance))
            return [SlotSet("branch", nearest.city), SlotSet("topic", self.action_name)]
        turn.say("utter_branches", places=listing(branch.city for branch in branches))
        return [SlotSet("topic", self.action_name)]

    def _tell(self, turn: Turn, branch: Branch, response: str, **facts: Any) -> None:
        weekday = local_date(turn.context.now, turn.context.timezone).weekday()
        turn.say(
            response,
            directions(branch),
            name=branch.name,
            place=address(branch.address),
            phone=phone(branch.phone),
            today=hours_on(branch, weekday),
            **facts,
        )


def miles_text(distance: float) -> str:
    """``a mile``, ``12 miles``."""
    whole = round(distance)
    return "a mile" if whole <= 1 else f"{whole} miles"


def miles(here: tuple[float, float], there: tuple[float, float]) -> float:
    """The distance as the crow flies between two (latitude, longitude) in degrees."""
    lat1, lon1, lat2, lon2 = map(math.radians, (*here, *there))
    a = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 3958.8 * 2 * math.asin(math.sqrt(a))
