"""Stored values as the desk shows them: plain values for the pieces of `desk.pages.elements`.

Times are milliseconds since 1970; browsers write them in the agent's own time zone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from bot.core.access import Agent, check_may_write
from bot.core.conversation import TRANSITIONS, Owner, Ownership, State, Trigger
from bot.core.errors import ConversationError
from bot.core.messages import Attachment, Author, Button, Status
from bot.core.transcript import TranscriptMessage
from bot.flow.dead_letters import Explained
from bot.store.desk import Episode, Summary
from desk.pages import words
from desk.pages.links import web_address

View = dict[str, object]
_UNSURE_BELOW = 0.6
_FACTS_SHOWN = 12


def milliseconds(at: datetime | None) -> int | None:
    """The form in which browsers take times."""
    return None if at is None else round(at.timestamp() * 1000)


def ownership_of(summary: Summary) -> Ownership:
    """Who owns the conversation."""
    return Ownership(summary.state, summary.owner_epoch, summary.assignee)


def may_write(agent: Agent, summary: Summary) -> bool:
    """Whether the agent may answer in it."""
    try:
        check_may_write(agent, ownership_of(summary))
    except ConversationError:
        return False
    return True


def waiting_since(summary: Summary) -> datetime | None:
    """Since when the customer waits for a human's answer; None when nobody waits."""
    if summary.waiting_since is not None:
        return summary.waiting_since
    owner = ownership_of(summary).owner
    unanswered = owner is Owner.AGENT and summary.last_author is Author.CUSTOMER
    return summary.last_at if unanswered else None


def by_waiting(summaries: Sequence[Summary]) -> list[Summary]:
    """Those who wait longest first, then the newest."""

    def rank(summary: Summary) -> tuple[bool, float]:
        since = waiting_since(summary)
        newest = -(summary.last_at or summary.updated_at).timestamp()
        return (since is None, newest if since is None else since.timestamp())

    return sorted(summaries, key=rank)


def queue_line(summary: Summary, agent: Agent, *, unread: bool) -> View:
    """A conversation in the list."""
    channel, icon = words.channel_of(summary.channel, summary.sender)
    label, tone = state_of(summary, agent)
    mine = summary.assignee == agent.id
    if summary.reason and ownership_of(summary).owner in (Owner.QUEUE, Owner.AGENT):
        label = words.REASONS.get(summary.reason, words.plain(summary.reason).capitalize())
        urgent = summary.reason in words.URGENT_REASONS
        tone = "bad" if urgent else "warn" if summary.waiting_since else "calm"
    who = {Author.BOT: "Bot", Author.AGENT: "You" if mine else "Agent"}
    return {
        "id": summary.id,
        "name": words.name_of(summary.profile_name, summary.channel, summary.sender),
        "channel": channel,
        "icon": icon,
        "since": milliseconds(waiting_since(summary)),
        "at": milliseconds(summary.last_at),
        "who": who.get(summary.last_author, "") if summary.last_author else "",
        "last": " ".join(summary.last_text.split())[:160] or "(no text)",
        "reason": label,
        "tone": tone,
        "assignee": "You" if mine else summary.assignee_name,
        "unread": unread,
    }


def state_of(summary: Summary, agent: Agent) -> tuple[str, str]:
    """The state in words, and its tone."""
    label, tone = words.STATES[summary.state]
    owner = "you" if summary.assignee == agent.id else summary.assignee_name or "an agent"
    return label.replace("{agent}", owner), tone


def head(summary: Summary, agent: Agent) -> View:
    """What stands above the transcript."""
    label, tone = state_of(summary, agent)
    channel, _ = words.channel_of(summary.channel, summary.sender)
    sender = summary.sender.removeprefix("whatsapp:")
    return {
        "title": words.name_of(summary.profile_name, summary.channel, summary.sender),
        "via": channel if summary.channel == "webchat" else f"{channel} · {sender}",
        "state": label,
        "tone": tone,
        "actions": _actions(summary, agent),
    }


def _actions(summary: Summary, agent: Agent) -> list[View]:
    owned = ownership_of(summary).owner is Owner.AGENT
    mine = may_write(agent, summary)
    closed = summary.state in (State.RESOLVED, State.EXPIRED)
    takes = closed or (summary.state, Trigger.TAKE) in TRANSITIONS
    resolves = (summary.state, Trigger.RESOLVE) in TRANSITIONS and (mine or not owned)
    holder = f"{summary.assignee_name or 'Another agent'} has this conversation"
    return [
        _action("take", "Take", "pan_tool_alt", takes, "primary", holder if owned else ""),
        _action("return", "Give back", "smart_toy", mine, "", "Take the conversation first"),
        _action("resolve", "Resolve", "check_circle_outline", resolves, "", holder),
    ]


def _action(key: str, label: str, icon: str, able: bool, style: str, why_not: str) -> View:
    hints = {
        "take": "You answer, the bot is silent",
        "return": "The bot answers again",
        "resolve": "Done: the bot answers when the customer writes again",
    }
    hint = hints[key] if able else why_not
    return {"key": key, "label": label, "icon": icon, "able": able, "style": style, "hint": hint}


def composer(summary: Summary, agent: Agent) -> View:
    """Whether the agent may reply, and why not."""
    able, hint = may_write(agent, summary), ""
    if ownership_of(summary).owner is not Owner.AGENT:
        hint = "Take the conversation to reply"
    elif summary.assignee != agent.id:
        hint = f"{summary.assignee_name or 'Another agent'} answers here"
    return {"conversation": summary.id, "mayReply": able, "hint": hint}


def brief(episodes: Sequence[Episode], messages: Sequence[TranscriptMessage]) -> View | None:
    """The open episode, in words; None when no human is needed."""
    if not episodes or episodes[0].ended_at is not None:
        return None
    episode = episodes[0]
    return {
        "title": words.REASONS.get(episode.reason, words.plain(episode.reason).capitalize()),
        "text": episode.brief,
        "facts": _facts(episode),
        "at": milliseconds(episode.requested_at),
        "answered": any(
            line.author is Author.AGENT
            and line.status is not Status.NOTE
            and line.created_at >= episode.requested_at
            for line in messages
        ),
    }


def _facts(episode: Episode) -> list[View]:
    """Evidence that the brief does not already tell."""
    facts: list[View] = []
    for name, value in episode.evidence.items():
        told = ", ".join(_told(v) for v in value) if isinstance(value, list) else _told(value)
        if told and told not in episode.brief:
            facts.append({"name": words.plain(name).capitalize(), "value": told[:300]})
    return facts[:_FACTS_SHOWN]


def _told(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{words.plain(str(name))} {_told(each)}" for name, each in value.items())
    text = str(value)
    # Codes such as names of actions read better as words; numbers and quotes stay as they are.
    return words.plain(text) if re.fullmatch(r"[a-z]+(_[a-z]+)+", text) else text


def message(
    line: TranscriptMessage,
    customer: str,
    agent: Agent,
    failed: Explained | None = None,
    again: str = "",
) -> View:
    """One line of the transcript.

    Args:
        failed: Set when the message failed for good.
        again: What the agent may do about that, in words; empty for nothing.
    """
    note = line.status is Status.NOTE
    understood, unsure = _understood(line.understood)
    name = {Author.CUSTOMER: customer, Author.BOT: "Bot"}.get(line.author, line.author_name)
    if line.author is Author.AGENT and line.author_name == agent.name:
        name = "You"
    return {
        "id": line.id,
        "seq": line.seq,
        "kind": "note" if note else line.author.value,
        "name": f"{name or 'Frontdesk'} · internal note" if note else name or "Agent",
        "text": line.text,
        "at": milliseconds(line.created_at),
        "status": _status(line, failed),
        "failed": f"{failed.explanation.happened} {failed.explanation.todo}" if failed else "",
        "again": again,
        "lost": line.status in (Status.FAILED, Status.DROPPED),
        "buttons": [_button(each) for each in line.buttons],
        "attachments": [_attachment(each) for each in line.attachments],
        "understood": understood,
        "unsure": unsure,
        "decided": decided(line.understood),
    }


def _status(line: TranscriptMessage, failed: Explained | None) -> View | None:
    found = words.DELIVERIES.get(line.status)
    if line.status is Status.FAILED and line.replayed_at is not None:
        found = words.SENT_AGAIN
    elif failed is not None and failed.letter.inbound:
        found = words.BOT_FAILED
    if found is None:
        return None
    icon, label, shown, tone = found
    return {"icon": icon, "label": label, "shown": shown, "tone": tone}


def _button(button: Button) -> View:
    return {"title": button.title, "link": bool(button.url)}


def _attachment(attachment: Attachment) -> View:
    return {
        "url": web_address(attachment.url),
        "name": attachment.name or attachment.content_type or "Attachment",
        "image": attachment.content_type.startswith("image/"),
    }


def decided(data: dict[str, object] | None) -> str:
    """Why the bot asked or handed over, with its numbers; empty where it simply answered."""
    found = data.get("decision") if data else None
    if not isinstance(found, dict) or found.get("kind") not in words.DECISIONS:
        return ""
    offered = ", ".join(
        f"{words.plain(str(each.get('intent')))} {float(each.get('probability') or 0):.0%}"
        for each in found.get("offered") or []
    )
    costs = ", ".join(
        f"{words.COSTS[kind]} {float(cost):.1f}"
        for kind, cost in (found.get("expected") or {}).items()
        if kind in words.COSTS
    )
    signs = ", ".join(words.SIGNS.get(n, words.plain(n)) for n in found.get("signals") or {})
    parts = [f"{words.DECISIONS[found['kind']]}: {offered or 'no guess'}", f"in minutes, {costs}"]
    return "; ".join([*parts, f"because {signs}"] if signs else parts)


def _understood(data: dict[str, object] | None) -> tuple[str, bool]:
    """Intent, confidence and entities in one line, and whether the bot was unsure.

    What else the message asked for follows, and what the bot came back to from an earlier one.
    """
    if not data or not data.get("intent"):
        return "", False
    line, sure = _one_understood(data)
    also = data.get("also")
    for each in also if isinstance(also, list) else []:
        if isinstance(each, dict) and each.get("intent"):
            told, this_sure = _one_understood(each)
            line += f" {'↩' if each.get('earlier') else '+'} {told}"
            sure = min(sure, this_sure)
    return line, sure < _UNSURE_BELOW


def _one_understood(data: dict[str, object]) -> tuple[str, float]:
    parts = [words.plain(str(data["intent"]))]
    confidence = data.get("confidence")
    sure = float(confidence) if isinstance(confidence, int | float) else 1.0
    if isinstance(confidence, int | float):
        parts.append(f"{sure:.0%}")
    entities = data.get("entities")
    for each in entities if isinstance(entities, list) else []:
        if isinstance(each, dict):
            parts.append(f"{words.plain(str(each.get('entity')))}: {each.get('value')}")
    return " · ".join(parts), sure
