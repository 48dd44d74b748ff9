"""Whether a message has one wish or several: "cancel it and where is my refund" has two.

Taking one wish for two costs more than the reverse, so whatever is in doubt is one.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from bot.nlu.clauses import Clause, join, split

Parse = Mapping[str, Any]  # Rasa's parse result: intent, intent_ranking, entities, …

MOST_WISHES = 3
# Said beside a wish, not a wish: hello, thanks, "can you help", and how somebody feels about it.
COURTESIES = frozenset({"greet", "thank", "goodbye", "praise", "complain", "ask_help"})
# Yes and no mean something only when something was asked.
ANSWERS = frozenset({"affirm", "deny", "nevermind"})
# A value, given without saying what for.
VALUE = "inform"
# Never wishes of their own, unless a value was asked for: nothing is known about what they want.
PARTS = frozenset({VALUE, "out_of_scope", "nlu_fallback", "send_attachment"})

# Chosen on training examples that the model had not seen, alone and joined by two: of those alone,
# fewer than 1 in 100 may be divided.
SURE = 0.75  # of each wish, when the words say that there are two
SURE_BY_MEANING = 0.9  # of each wish, when only what they mean says so
SURE_BESIDE_UNSURE = 0.8  # of the one wish that is clear, when the other is not
NOT_THAT_ONE = 0.05  # so likely may the clear wish's intent be in what is unclear
LEAST_WORDS = 3  # of what is unclear
RELATED = 0.003  # so likely is one's intent in the other's ranking: they may be the same wish

# How questions and requests begin; "i picked the wrong size" tells what led to one.
_ASKS = re.compile(
    r"(?:(?:please|pls|plz|hi|hiya|hey|hello|yo|ok|okay|just|now|instead|first)\W+)*"
    r"(?:can|could|cud|may|might|do|does|did|is|are|am|will|would|wud|shall|should|have you|has|any"
    r"|got any|what|whats|where|wheres|when|whens|how|hows|who|whos|which|why"
    r"|i(?:['’]?d| would)? (?:want|wanna|need|like|love|wish)|need|want|wanna"
    r"|tell|show|give|send|cancel|change|stop|remove|delete|unsubscribe|refund|return|exchange|swap"
    r"|reserve|hold|put|get|let|help|find|check|update|add|take|make|keep|track|call|email|resend)\b",
    re.IGNORECASE,
)
# "Not cancel, just change it" has one wish.
_NOT = re.compile(r"(?:not|don['’]?t|do not)\b", re.IGNORECASE)
# What joins two wishes rather than two halves of one.
_PARTS_WAYS = re.compile(r"also|plus|[?\n]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wish:
    """One of the wishes of a message.

    Attributes:
        text: Its part of the message.
        start, end: Where it stands in the message.
        parse: What was understood of it; entities count from its own start.
        sure: False when it reads like a request, but for what is not clear.
    """

    text: str
    start: int
    end: int
    parse: Parse
    sure: bool = True

    @property
    def intent(self) -> str:
        """The likeliest intent; empty where there is none."""
        return _best(self.parse)[0]

    @property
    def confidence(self) -> float:
        """How likely that is."""
        return _best(self.parse)[1]


def _best(parse: Parse) -> tuple[str, float]:
    for guess in parse.get("intent_ranking") or [parse.get("intent") or {}]:
        if guess.get("name") not in (None, "nlu_fallback"):
            return str(guess["name"]), float(guess.get("confidence") or 0.0)
    return "", 0.0


async def wishes(
    message: str,
    parse: Callable[[str], Awaitable[Parse]],
    *,
    asked: bool = False,
) -> list[Wish]:
    """The wishes of a message, in order; empty when there are not at least two.

    Args:
        message: What the customer wrote.
        parse: Understands a text; asked only when there are at least two clauses.
        asked: Whether the bot waits for something: then yes, no or a value may come first.
    """
    clauses = split(message)
    if len(clauses) < 2:
        return []
    said = [_wish(clause, await parse(clause.text)) for clause in clauses]
    groups = _groups(said, asked=asked)
    if len(groups) < 2:
        return _one_and_an_unclear(said)
    if len(groups) > MOST_WISHES:
        return []
    found = []
    for group in groups:
        wish = group[0]
        if len(group) > 1:
            joined = join(message, [Clause(w.text, w.start, w.end) for w in group])
            wish = _wish(joined, await parse(joined.text))
        found.append(wish)
    return found if _are_several(message, found) else []


def _wish(clause: Clause, parse: Parse) -> Wish:
    return Wish(clause.text, clause.start, clause.end, parse)


def _groups(said: Sequence[Wish], *, asked: bool) -> list[list[Wish]]:
    """Neighbouring clauses that belong together, around those that are surely a wish."""
    groups: list[list[Wish]] = []
    heads: list[str] = []
    loose: list[Wish] = []  # before the first wish
    for wish in said:
        answers = asked and not groups  # "yes, and …", "FD-104233, and …"
        if wish.intent in COURTESIES or (wish.intent in ANSWERS and not answers):
            continue
        part = wish.intent in PARTS and not (wish.intent == VALUE and answers)
        if part or wish.confidence < SURE or _NOT.match(wish.text):
            (groups[-1] if groups else loose).append(wish)
        elif heads and heads[-1] == wish.intent:
            groups[-1].append(wish)
        else:
            groups.append([*loose, wish])
            heads.append(wish.intent)
            loose = []
    return groups


def _one_and_an_unclear(said: Sequence[Wish]) -> list[Wish]:
    """Two requests, one of them not understood: better asked about than passed over."""
    asides = COURTESIES | ANSWERS | {VALUE}
    asked_for = [wish for wish in said if wish.intent not in asides]
    clear = [w for w in asked_for if w.intent not in PARTS and w.confidence >= SURE_BESIDE_UNSURE]
    if len(asked_for) != 2 or len(clear) != 1 or not all(_ASKS.match(w.text) for w in asked_for):
        return []
    unclear = next(wish for wish in asked_for if wish not in clear)
    if len(unclear.text.split()) < LEAST_WORDS:
        return []
    if _probability(unclear.parse, clear[0].intent) > NOT_THAT_ONE:
        return []
    return [replace(wish, sure=wish in clear) for wish in asked_for]


def _are_several(message: str, found: Sequence[Wish]) -> bool:
    intents = {wish.intent for wish in found}
    if len(intents) < len(found) or intents & COURTESIES:
        return False
    needed = SURE if _words_say_so(message, found) else SURE_BY_MEANING
    if any(wish.confidence < needed for wish in found):
        return False
    others = ((a.parse, b.intent) for a in found for b in found if a is not b)
    return all(_probability(parse, intent) <= RELATED for parse, intent in others)


def _words_say_so(message: str, found: Sequence[Wish]) -> bool:
    # Yes and no are wishes only where something was asked: what follows them is another one.
    if all(wish.intent in ANSWERS or _ASKS.match(wish.text) for wish in found):
        return True
    # From the last character of one to the start of the next: a question mark belongs to the first.
    return any(
        _PARTS_WAYS.search(message, first.end - 1, second.start)
        for first, second in pairwise(found)
    )


def _probability(parse: Parse, intent: str) -> float:
    ranking = parse.get("intent_ranking") or []
    return next((float(g["confidence"]) for g in ranking if g.get("name") == intent), 0.0)


def share(found: Sequence[Wish], kinds: Sequence[str]) -> list[Wish]:
    """Gives entities that hold for the whole message to the wishes before them too.

    In "cancel it and where's my refund for FD-104233" the order's number belongs to both. What
    comes before, the conversation remembers by itself.

    Args:
        found: The wishes of a message.
        kinds: The entities that are shared, where all that is said of them is one value.
    """
    shared = list(found)
    for kind in kinds:
        holders = [i for i, wish in enumerate(found) if _values(wish, kind)]
        values = {value for wish in found for value in _values(wish, kind)}
        if len(values) != 1:
            continue
        entity = next(e for e in found[holders[0]].parse["entities"] if e["entity"] == kind)
        for position in range(holders[0]):
            wish = shared[position]
            if wish.intent not in (VALUE, *ANSWERS):
                entities = [*(wish.parse.get("entities") or []), {**entity, "start": 0, "end": 0}]
                shared[position] = replace(wish, parse={**wish.parse, "entities": entities})
    return shared


def _values(wish: Wish, kind: str) -> set[str]:
    entities = wish.parse.get("entities") or []
    return {str(e.get("value")).casefold() for e in entities if e.get("entity") == kind}
