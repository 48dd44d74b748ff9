"""Turns on both databases: order, bursts, ownership, failures."""

from __future__ import annotations

import asyncio

from bot.core.conversation import HandoffReason, State
from bot.core.messages import Author, Button, Capabilities, Content, Status
from bot.dialogue.output import HandoffRequest
from bot.flow.turn import MAX_TURN_ATTEMPTS
from bot.store.turns import StoredInbound
from tests.flow.conftest import Path
from tests.scripted import inbound


def handoff(_: StoredInbound) -> HandoffRequest:
    return HandoffRequest(HandoffReason.CUSTOMER_REQUEST, {"order_number": "FD-104233"})


async def test_a_message_is_answered_once(path: Path) -> None:
    assert await path.say(inbound("hello")) == ["re: hello"]
    assert not await path.turns.run(path.conversation)
    assert path.channel.texts == ["re: hello"]


async def test_a_redelivered_webhook_is_one_message(path: Path) -> None:
    for _ in range(3):
        await path.say(inbound("hello", "same-id"))
    assert path.channel.texts == ["re: hello"]


async def test_redelivered_in_parallel_is_one_message(path: Path) -> None:
    results = await asyncio.gather(*(path.receive(inbound("hello", "same")) for _ in range(8)))
    assert sum(len(new) for new in results) == 1


async def test_a_burst_is_one_turn_in_order(path: Path) -> None:
    sent = await path.say(inbound("one"), inbound("two"), inbound("three"))
    assert sent == ["re: one", "re: two", "re: three"]
    lines = await path.transcript()
    assert [line.seq for line in lines] == sorted(line.seq for line in lines)


async def test_two_workers_do_not_answer_twice(path: Path) -> None:
    path.brain.delay = 0.2
    await path.receive(inbound("hello"))
    ran = await asyncio.gather(*(path.turns.run(path.conversation) for _ in range(4)))
    assert sorted(ran) == [False, False, False, True]
    assert path.brain.asked == ["hello"]


async def test_what_the_bot_understood_is_kept(path: Path) -> None:
    await path.say(inbound("hello"))
    first = (await path.transcript())[0]
    assert first.status is Status.PROCESSED
    assert first.understood == {"intent": "scripted", "confidence": 0.9}


async def test_nul_and_long_text_are_stored(path: Path) -> None:
    await path.say(inbound("a\x00b\ud800" + "x" * 10_000, "odd"))
    assert (await path.transcript())[0].text.startswith("abxxx")


async def test_a_handoff_queues_the_chat_with_reason_and_brief(path: Path) -> None:
    path.brain.script = handoff
    sent = await path.say(inbound("get me a person"))
    assert len(sent) == 1
    assert "colleague" in sent[0]
    detail = await path.desk.detail(path.agent, path.conversation)
    assert detail.summary.state is State.QUEUED
    assert detail.summary.waiting_since is not None
    assert detail.episodes[0].reason == "customer_request"
    assert detail.episodes[0].evidence == {"order_number": "FD-104233"}
    assert "get me a person" in detail.episodes[0].brief
    assert "FD-104233" in detail.episodes[0].brief


async def test_the_bot_is_silent_while_a_human_owns_the_chat(path: Path) -> None:
    path.brain.script = handoff
    await path.say(inbound("human please"))
    path.brain.script = lambda m: Content(f"re: {m.text}")
    await path.say(inbound("still there?"))
    await path.desk.take(path.agent, path.conversation)
    sent = await path.say(inbound("hello human"))
    assert not [text for text in sent if text.startswith("re:")]
    assert path.brain.asked == ["human please"]


async def test_after_resolving_the_bot_answers_again(path: Path) -> None:
    path.brain.script = handoff
    await path.say(inbound("human please"))
    await path.desk.take(path.agent, path.conversation)
    await path.desk.resolve(path.agent, path.conversation)
    path.brain.script = lambda m: Content(f"re: {m.text}")
    sent = await path.say(inbound("thanks"))
    assert sent[-1] == "re: thanks"
    detail = await path.desk.detail(path.agent, path.conversation)
    assert detail.summary.state is State.BOT
    assert detail.episodes[0].outcome == "resolved"


async def test_an_answer_that_an_agent_overtook_is_not_sent(path: Path) -> None:
    path.brain.delay = 0.3
    await path.receive(inbound("hello"))
    turn = asyncio.create_task(path.turns.run(path.conversation))
    await asyncio.sleep(0.1)
    await path.desk.take(path.agent, path.conversation)
    await turn
    await path.deliveries.run(path.conversation)
    assert not [text for text in path.channel.texts if text.startswith("re:")]
    dropped = [m for m in await path.transcript() if m.author is Author.BOT]
    assert [m.status for m in dropped] == [Status.DROPPED]


async def test_what_customers_read_in_the_transcript_is_sent_when_it_is_stored(path: Path) -> None:
    path.channel.capabilities = Capabilities(text_limit=100, buttons=1, reads_transcript=True)
    path.brain.script = lambda m: Content(f"re: {m.text}", buttons=(Button("Yes", "/affirm"),))
    await path.receive(inbound("hello"))
    assert await path.turns.run(path.conversation)
    answer = (await path.transcript())[-1]
    assert (answer.text, answer.status) == ("re: hello", Status.SENT)
    assert await path.seen() == ["hello", "re: hello"]
    assert not await path.deliveries.run(path.conversation)
    assert path.channel.texts == []


async def test_what_an_agent_overtook_is_not_in_the_transcript_that_customers_read(
    path: Path,
) -> None:
    path.channel.capabilities = Capabilities(text_limit=100, reads_transcript=True)
    path.brain.delay = 0.3
    await path.receive(inbound("hello"))
    turn = asyncio.create_task(path.turns.run(path.conversation))
    await asyncio.sleep(0.1)
    await path.desk.take(path.agent, path.conversation)
    await turn
    await path.deliveries.run(path.conversation)
    assert not [text for text in await path.seen() if text.startswith("re:")]


async def test_only_who_waits_sees_that_the_bot_is_at_it(path: Path) -> None:
    topic = f"conversation:{path.conversation}"
    seen: list[str] = []

    async def watch() -> None:
        async with path.hub.subscribe(topic) as events:
            watching.set()
            async for event in events:
                seen.append(event.kind)

    watching = asyncio.Event()
    watcher = asyncio.create_task(watch())
    await watching.wait()
    await path.say(inbound("quick"))
    await asyncio.sleep(0.5)
    assert set(seen) == {"messages"}
    path.brain.delay = 0.6
    await path.say(inbound("slow"))
    await asyncio.sleep(0)
    watcher.cancel()
    assert "messages" in seen[seen.index("typing") :]


async def test_a_turn_that_fails_is_tried_again_and_then_goes_to_a_human(path: Path) -> None:
    path.brain.script = lambda m: ValueError("the customer's text")
    await path.receive(inbound("poison"))
    for _ in range(MAX_TURN_ATTEMPTS):
        await path.turns.run(path.conversation)
    assert not await path.turns.run(path.conversation)
    detail = await path.desk.detail(path.agent, path.conversation)
    assert detail.summary.state is State.QUEUED
    assert detail.episodes[0].reason == "engine_error"
    assert path.brain.asked == ["poison"] * MAX_TURN_ATTEMPTS


async def test_a_failing_turn_does_not_hold_up_what_follows(path: Path) -> None:
    failed = False

    def once(message: StoredInbound) -> Content | Exception:
        nonlocal failed
        if not failed:
            failed = True
            return RuntimeError("once")
        return Content(f"re: {message.text}")

    path.brain.script = once
    await path.receive(inbound("one"))
    await path.turns.run(path.conversation)
    assert await path.say(inbound("two")) == ["re: one", "re: two"]


async def test_a_pressed_button_means_what_the_server_issued(path: Path) -> None:
    path.brain.script = lambda m: Content("Which?", (Button("Yes", payload="/affirm"),))
    await path.say(inbound("hm"))
    token = path.channel.sent[0].content.buttons[0].token
    assert token
    await path.receive(inbound("Yes", "press", button=token))
    await path.turns.run(path.conversation)
    assert path.brain.payloads == [None, "/affirm"]


async def test_a_forged_button_is_only_text(path: Path) -> None:
    await path.say(inbound("/restart", "forged", button="/restart"))
    assert path.brain.payloads == [None]


async def test_a_number_picks_a_button_where_buttons_are_a_list(path: Path) -> None:
    path.channel.capabilities = Capabilities(1600, buttons=0)
    buttons = (Button("Yes", payload="/affirm"), Button("No", payload="/deny"))
    path.brain.script = lambda m: Content("Which?", buttons)
    await path.say(inbound("hm"))
    await path.say(inbound("2."))
    await path.say(inbound("7"))
    assert path.brain.payloads == [None, "/deny", None]


async def test_numbers_count_choices_and_not_links(path: Path) -> None:
    path.channel.capabilities = Capabilities(1600, buttons=0)
    buttons = (Button("Track it", url="https://carrier.example"), Button("Yes", payload="/affirm"))
    path.brain.script = lambda m: Content("Which?", buttons)
    await path.say(inbound("hm"))
    await path.say(inbound("1"))
    assert path.brain.payloads == [None, "/affirm"]


async def test_a_number_after_other_words_is_only_a_number(path: Path) -> None:
    path.channel.capabilities = Capabilities(1600, buttons=0)
    path.brain.script = lambda m: (
        Content("Which?", (Button("Yes", payload="/affirm"),)) if m.text == "hm" else Content("ok")
    )
    for text in ("hm", "something else", "1"):
        await path.say(inbound(text))
    assert path.brain.payloads == [None, None, None]


async def test_a_customer_never_hears_nothing(path: Path) -> None:
    path.brain.script = lambda m: None
    sent = await path.say(inbound("hm"))
    assert len(sent) == 1
    assert "colleague" in sent[0]
