"""Dead letters on both databases: made, explained, replayed once, in order, by those who may."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pytest
from sqlalchemy import select

from bot.core.access import OPERATOR, Role
from bot.core.conversation import State
from bot.core.dead_letters import Explanation
from bot.core.errors import DeliveryError, NotReplayableError, NotVisibleError, TakenError
from bot.core.messages import (
    Attachment,
    Author,
    Button,
    Capabilities,
    Content,
    Inbound,
    Receipt,
    Status,
)
from bot.core.transcript import conversation_id
from bot.flow.dead_letters import DeadLetters, Explained
from bot.flow.deliver import MAX_ATTEMPTS, Deliveries
from bot.flow.hub import LocalHub
from bot.flow.turn import MAX_TURN_ATTEMPTS
from bot.flow.workers import Worker
from bot.store import inbox, turns
from bot.store import tables as t
from bot.store.rows import new_id, utc_now
from bot.store.turns import StoredInbound
from connectors.channels.twilio import explain as explain_twilio
from tests.flow.conftest import Path, add_agent
from tests.flow.outages import customers, make_due, until
from tests.scripted import ADDRESS, inbound

OPTED_OUT = DeliveryError("the recipient has opted out (error 21610)", permanent=True, code="21610")


@pytest.fixture
def letters(path: Path) -> DeadLetters:
    return path.desk.dead_letters


async def fail(path: Path, *texts: str) -> list[Explained]:
    """The bot's answers to these messages cannot be sent."""
    path.channel.failures = [OPTED_OUT] * len(texts)
    await path.say(*(inbound(text) for text in texts))
    return await path.desk.dead_letters.list(path.agent)


async def poison(path: Path, text: str = "poison") -> Explained:
    """The bot fails three times on a message."""
    script, path.brain.script = path.brain.script, lambda m: KeyError("the customer's words")
    await path.receive(inbound(text))
    for _ in range(MAX_TURN_ATTEMPTS):
        await path.turns.run(path.conversation)
    path.brain.script = script
    [letter] = await path.desk.dead_letters.list(path.agent)
    return letter


async def statuses(path: Path) -> list[tuple[str, str]]:
    return [(m.text, m.status.value) for m in await path.transcript() if m.author is Author.BOT]


class TestWhatCouldNotBeSent:
    async def test_it_says_what_happened_and_what_to_do(
        self, path: Path, letters: DeadLetters
    ) -> None:
        [dead] = await fail(path, "my secret")
        assert dead == await letters.show(path.agent, dead.letter.id)
        assert "opted out" in dead.explanation.happened
        assert dead.explanation.todo
        assert (dead.letter.code, dead.letter.attempts) == ("21610", 1)
        assert not dead.letter.inbound
        assert "secret" not in repr(dead), "no message text"
        assert ADDRESS.sender not in repr(dead), "no personal data"

    async def test_the_connector_knows_its_platform_s_codes(self, path: Path) -> None:
        [dead] = await fail(path, "one")
        knowing = DeadLetters(path.database, LocalHub(), {"scripted": explain_twilio})
        told = (await knowing.show(path.agent, dead.letter.id)).explanation
        assert told == explain_twilio("21610")
        assert "START" in told.todo

    async def test_sent_again_it_is_the_conversation_s_next_message(
        self, path: Path, letters: DeadLetters
    ) -> None:
        [dead] = await fail(path, "one")
        await path.receive(inbound("two"))
        await path.turns.run(path.conversation)
        copy = await letters.replay(path.agent, dead.letter.id)
        await path.receive(inbound("three"))
        await path.turns.run(path.conversation)
        await path.deliveries.run(path.conversation)
        assert path.channel.texts == ["re: two", "re: one", "re: three"]
        assert path.channel.sent[1].id == copy
        assert await statuses(path) == [
            ("re: one", "failed"),
            ("re: two", "sent"),
            ("re: one", "sent"),
            ("re: three", "sent"),
        ]
        assert await path.seen() == ["one", "two", "re: two", "re: one", "three", "re: three"]

    async def test_a_record_is_kept(self, path: Path, letters: DeadLetters) -> None:
        [dead] = await fail(path, "one")
        copy = await letters.replay(path.agent, dead.letter.id)
        async with path.database.read() as connection:
            rows = (await connection.execute(select(t.message))).all()
        kept = {row.id: row for row in rows}
        assert kept[copy].replay_of == dead.letter.id
        assert kept[dead.letter.id].replayed_by == path.agent.id
        assert kept[dead.letter.id].replayed_at is not None
        assert kept[dead.letter.id].error == OPTED_OUT.reason
        assert await letters.list(path.agent) == []

    async def test_of_two_at_once_one_is_refused(self, path: Path, letters: DeadLetters) -> None:
        [dead] = await fail(path, "one")
        both = await asyncio.gather(
            *(letters.replay(path.agent, dead.letter.id) for _ in range(2)), return_exceptions=True
        )
        [refused] = [each for each in both if isinstance(each, Exception)]
        assert isinstance(refused, NotReplayableError | NotVisibleError)
        await path.deliveries.run(path.conversation)
        assert path.channel.texts == ["re: one"]

    async def test_if_it_fails_again_it_is_a_dead_letter_again(
        self, path: Path, letters: DeadLetters
    ) -> None:
        [dead] = await fail(path, "one")
        copy = await letters.replay(path.agent, dead.letter.id)
        path.channel.failures = [OPTED_OUT]
        await path.deliveries.run(path.conversation)
        assert [each.letter.id for each in await letters.list(path.agent)] == [copy]

    async def test_buttons_work_after_it(self, path: Path, letters: DeadLetters) -> None:
        path.channel.capabilities = Capabilities(1600, buttons=0)
        path.brain.script = lambda m: Content("Which?", (Button("Yes", payload="/affirm"),))
        [dead] = await fail(path, "hm")
        await path.receive(inbound("hello?"))
        path.brain.script = lambda m: Content("ok")
        await path.turns.run(path.conversation)
        await letters.replay(path.agent, dead.letter.id)
        await path.deliveries.run(path.conversation)
        await path.say(inbound("1"))
        assert path.brain.payloads[-1] == "/affirm"

    async def test_a_channel_that_is_gone(self, path: Path, letters: DeadLetters) -> None:
        await path.receive(inbound("one"))
        await path.turns.run(path.conversation)
        await Deliveries(path.database, LocalHub(), {}).run(path.conversation)
        [dead] = await letters.list(path.agent)
        assert "not connected" in dead.explanation.happened
        assert "credentials.yml" in dead.explanation.todo

    async def test_what_was_given_up_after_eight_attempts(
        self, path: Path, letters: DeadLetters
    ) -> None:
        await path.receive(inbound("one"))
        await path.turns.run(path.conversation)
        for _ in range(MAX_ATTEMPTS):
            path.channel.failures = [DeliveryError("down", permanent=False)]
            await make_due(path.database)
            await path.deliveries.run(path.conversation)
        [dead] = await letters.list(path.agent)
        assert "tried 8 times" in dead.explanation.happened
        assert "when the platform works" in dead.explanation.todo

    async def test_what_the_platform_took_and_could_not_deliver(
        self, path: Path, letters: DeadLetters
    ) -> None:
        await path.say(inbound("one"))
        provider_id = f"provider-{path.channel.sent[0].id}"

        async def receipt(status: Status, error: str | None = None) -> list[Explained]:
            note = Receipt(ADDRESS.channel, ADDRESS.account, provider_id, status, error)
            async with path.database.write() as connection:
                await inbox.note_receipts(connection, [note], utc_now())
            return await letters.list(path.agent)

        [dead] = await receipt(Status.FAILED, "30003")
        assert "could not deliver it (error 30003)" in dead.explanation.happened
        assert await receipt(Status.DELIVERED) == [], "it arrived after all"


class TestWhoMay:
    async def test_nobody_who_is_not_at_work(self, path: Path, letters: DeadLetters) -> None:
        [dead] = await fail(path, "one")
        gone = replace(path.agent, active=False)
        for attempt in (
            letters.list(gone),
            letters.show(gone, dead.letter.id),
            letters.replay(gone, dead.letter.id),
        ):
            with pytest.raises(NotVisibleError):
                await attempt

    async def test_in_a_human_s_chat_that_human(self, path: Path, letters: DeadLetters) -> None:
        alex = await add_agent(path.database, "alex")
        robin = await add_agent(path.database, "robin", Role.ADMIN)
        first, second = await fail(path, "one", "two")
        await path.desk.take(path.agent, path.conversation)
        for other in (alex, OPERATOR):
            with pytest.raises(TakenError):
                await letters.replay(other, first.letter.id)
        await letters.replay(path.agent, first.letter.id)
        await letters.replay(robin, second.letter.id)
        await path.deliveries.run(path.conversation)
        assert path.channel.texts[-2:] == ["re: one", "re: two"]

    async def test_unknown_ones(self, path: Path, letters: DeadLetters) -> None:
        await path.say(inbound("one"))
        for message in (new_id(), path.channel.sent[0].id):
            with pytest.raises(NotVisibleError):
                await letters.show(path.agent, message)
            with pytest.raises(NotVisibleError):
                await letters.replay(path.agent, message)


class TestWhatTheBotFailedOn:
    async def test_it_names_the_error_and_quotes_nothing(self, path: Path) -> None:
        dead = await poison(path)
        assert dead.letter.inbound
        assert (dead.letter.error, dead.letter.attempts) == ("KeyError", MAX_TURN_ATTEMPTS)
        assert "failed 3 times on this message (KeyError)" in dead.explanation.happened
        assert "words" not in repr(dead)

    async def test_an_answer_that_cannot_be_stored_is_a_failure_too(
        self, path: Path, letters: DeadLetters
    ) -> None:
        odd = Attachment(cast(str, object()))
        path.brain.script = lambda m: Content("odd", attachments=(odd,))
        await path.receive(inbound("poison"))
        ran = [await path.turns.run(path.conversation) for _ in range(MAX_TURN_ATTEMPTS)]
        assert ran == [False, False, True]
        [dead] = await letters.list(path.agent)
        assert (dead.letter.error, dead.letter.attempts) == ("StatementError", MAX_TURN_ATTEMPTS)
        detail = await path.desk.detail(path.agent, path.conversation)
        assert detail.summary.reason == "engine_error"

    async def test_replayed_the_bot_has_the_conversation_again(
        self, path: Path, letters: DeadLetters
    ) -> None:
        dead = await poison(path)
        assert await letters.replay(OPERATOR, dead.letter.id) == dead.letter.id
        await path.turns.run(path.conversation)
        await path.deliveries.run(path.conversation)
        assert path.channel.texts[-1] == "re: poison"
        detail = await path.desk.detail(path.agent, path.conversation)
        assert detail.summary.state is State.BOT
        assert detail.episodes[0].outcome == "replayed"
        assert detail.messages[0].status is Status.PROCESSED
        assert detail.messages[0].replayed_at is not None
        assert detail.dead_letters == []

    async def test_failing_again_it_is_one_again(self, path: Path, letters: DeadLetters) -> None:
        dead = await poison(path)
        await letters.replay(path.agent, dead.letter.id)
        path.brain.script = lambda m: ValueError("again")
        for _ in range(MAX_TURN_ATTEMPTS):
            await path.turns.run(path.conversation)
        [again] = await letters.list(path.agent)
        assert (again.letter.id, again.letter.error) == (dead.letter.id, "ValueError")

    async def test_not_when_a_human_has_dealt_with_it(
        self, path: Path, letters: DeadLetters
    ) -> None:
        dead = await poison(path)
        await path.desk.take(path.agent, path.conversation)
        with pytest.raises(NotReplayableError):
            await letters.replay(path.agent, dead.letter.id)
        await path.desk.resolve(path.agent, path.conversation)
        with pytest.raises(NotReplayableError):
            await letters.replay(OPERATOR, dead.letter.id)
        assert await letters.list(path.agent) == [dead], "nothing was changed"


def is_poison(text: str) -> bool:
    return text.startswith("poison")


async def test_a_hundred_poison_messages_are_a_hundred_dead_letters(path: Path) -> None:
    """Their neighbours, of whom each writes after one of them, are all answered meanwhile."""

    def script(message: StoredInbound) -> Content | Exception:
        return RuntimeError("poison") if is_poison(message.text) else Content(f"re: {message.text}")

    path.brain.script = script
    addresses = customers(200)
    for number, address in enumerate(addresses):
        text = f"poison {number}" if number % 2 else f"hello {number}"
        await path.receive(Inbound(address, new_id(), text))

    async def waiting(limit: int) -> list[str]:
        async with path.database.read() as connection:
            return await turns.waiting(connection, limit)

    hub, sent = LocalHub(), path.deliveries
    workers: Sequence[Worker] = (
        Worker("turn", "inbox", hub, waiting, path.turns.run),
        Worker("deliver", "outbox", hub, sent.waiting, sent.run, due_in=sent.due_in),
    )
    for worker in workers:
        await worker.start()
    # An answer each; an apology and a word of the handoff to those on whom the bot failed.
    await until(lambda: len(path.channel.sent) == 300, 90)
    for worker in workers:
        await worker.stop()
    dead = await path.desk.dead_letters.list(path.agent, 1000)
    assert len(dead) == 100
    assert {each.letter.error for each in dead} == {"RuntimeError"}
    poisoned = {conversation_id(a) for n, a in enumerate(addresses) if n % 2}
    assert {each.letter.conversation for each in dead} == poisoned
    answered = {m.address for m in path.channel.sent if m.content.text.startswith("re: hello")}
    assert answered == {a for n, a in enumerate(addresses) if not n % 2}


def test_every_explanation_of_twilio_s_is_two_sentences() -> None:
    told = explain_twilio("63016")
    assert isinstance(told, Explanation)
    assert "24 hours" in told.happened
    assert explain_twilio("99999") is None
