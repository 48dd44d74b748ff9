"""The agents' desk in a real Chromium."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from connectors.demo.cast import IN_TRANSIT, MAYA
from tests.browser.desk_server import DeskServer, serve_desk
from tests.desk_office import PASSWORD

NASTY = [
    '<img src=x onerror="window.hit=1">',
    "<script>window.hit=1</script>",
    '"><svg onload=window.hit=1>',
    "<iframe src=javascript:parent.hit=1></iframe>",
    "{{ constructor.constructor('window.hit=1')() }}",
    "${window.hit=1} `${window.hit=1}`",
    "[click](javascript:window.hit=1) **bold** <b>bold</b>",
    "</script><script>window.hit=1</script>",
    "&lt;img src=x onerror=window.hit=1&gt;",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskServer]:
    with serve_desk(tmp_path_factory.mktemp("desk")) as running:
        yield running


class Desk:
    """An agent's window, as a person sees it."""

    def __init__(self, page: Page, errors: list[str], foreign: list[str]) -> None:
        self.page, self.errors, self.foreign = page, errors, foreign

    async def open(self, conversation: str, tab: str = "Waiting") -> None:
        await self.page.get_by_role("tab", name=tab).click()
        await self.line(conversation).click()
        await expect(self.page.locator(".head h1")).not_to_be_empty()
        await expect(self.page.locator(".message").first).to_be_visible()

    def line(self, conversation: str) -> Any:
        return self.page.locator(f".line[data-conversation='{conversation}']")

    def action(self, name: str) -> Any:
        return self.page.locator(f"[data-action={name}]")

    def said(self, kind: str, text: str) -> Any:
        return self.page.locator(f".message.{kind} .text", has_text=text)

    async def write(self, text: str) -> None:
        await self.page.locator("textarea").fill(text)
        await self.page.keyboard.press("Enter")


@asynccontextmanager
async def agent(
    browser: Browser, server: DeskServer, name: str, **options: Any
) -> AsyncIterator[Desk]:
    """An agent who has logged in; afterwards the page must have had no errors."""
    context: BrowserContext = await browser.new_context(**options)
    page = await context.new_page()
    errors: list[str] = []
    foreign: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((server.url, "data:", "https://cdn.shop.example/"))
            else foreign.append(request.url)
        ),
    )
    await page.goto(f"{server.url}/desk/")
    await page.get_by_label("E-mail").fill(f"{name}@shop.example")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.locator(".queue .lines, .queue .empty").first).to_be_visible(timeout=15_000)
    yield Desk(page, errors, foreign)
    assert errors == []
    assert foreign == []
    await context.close()


@pytest.fixture
async def sam(browser: Browser, server: DeskServer) -> AsyncIterator[Desk]:
    async with agent(browser, server, "sam") as desk:
        yield desk


async def test_a_wrong_password_is_told_and_the_right_one_opens_the_desk(
    browser: Browser, server: DeskServer
) -> None:
    page = await browser.new_page()
    await page.goto(f"{server.url}/desk/")
    await page.get_by_label("E-mail").fill("sam@shop.example")
    await page.get_by_label("Password").fill("wrong")
    await page.get_by_label("Password").press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("E-mail or password is wrong")
    await expect(page.get_by_label("E-mail")).to_have_value("sam@shop.example")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_label("Password").press("Enter")
    await expect(page.get_by_role("tab", name="Waiting")).to_be_visible(timeout=15_000)
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("heading", name="Log in to the desk")).to_be_visible()
    await page.goto(f"{server.url}/desk/")
    await expect(page.get_by_role("heading", name="Log in to the desk")).to_be_visible()
    await page.close()


async def test_a_conversation_from_queue_to_resolved(sam: Desk, server: DeskServer) -> None:
    understood = {
        "intent": "order_status",
        "confidence": 0.91,
        "entities": [{"entity": "order_number", "value": IN_TRANSIT}],
    }
    conversation = server.customer(
        "writes",
        sender="c-whole",
        text=f"where is {IN_TRANSIT}",
        name="Maya",
        understood=understood,
    )
    choice = {"title": "Track it", "payload": "/track"}
    answer = server.customer(
        "answered", conversation=conversation, text="It is on its way.", buttons=[choice]
    )
    server.customer(
        "handed-over",
        conversation=conversation,
        reason="action_failed",
        evidence={"order": IN_TRANSIT, "tried": ["change_address"]},
    )
    server.customer("recognised", conversation=conversation, customer=MAYA.id)
    line = sam.line(conversation)
    await expect(line).to_contain_text("Lookup failed")
    await expect(line).to_have_class(re.compile("unread"))
    await sam.open(conversation)
    await expect(line).not_to_have_class(re.compile("unread"))

    page = sam.page
    await expect(page.locator(".brief")).to_contain_text("A lookup or change in the shop's systems")
    await expect(page.locator(".brief dl")).to_contain_text("change address")
    understood_line = page.locator(".understood")
    await expect(understood_line).to_contain_text(
        f"order status · 91% · order number: {IN_TRANSIT}"
    )
    await expect(page.locator(".offered")).to_contain_text("Track it")
    await expect(page.locator(".card")).to_contain_text("Confirmed by order number and contact")
    await expect(page.locator(".card")).to_contain_text(MAYA.email)
    await expect(page.locator(".card .orders li")).to_have_count(5)
    tracking = page.locator(".orders a").first
    await expect(tracking).to_have_attribute("href", re.compile("^https://"))
    await expect(tracking).to_have_attribute("rel", "noopener noreferrer")

    await expect(sam.action("return")).to_be_disabled()
    await expect(page.locator("[data-mode=reply]")).to_be_disabled()
    await sam.action("take").click()
    await expect(page.locator(".head .tag")).to_have_text("With you")
    await expect(page.locator(".system")).to_contain_text("Sam has joined")
    await expect(page.get_by_role("tab", name="Mine")).to_have_attribute("aria-selected", "true")
    await expect(line).to_be_visible()

    await sam.write("Hello Maya")
    await expect(sam.said("agent", "Hello Maya")).to_be_visible()
    await expect(page.locator("textarea")).to_have_value("")
    await page.locator("[data-mode=note]").click()
    await sam.write("Called the carrier")
    await expect(sam.said("note", "Called the carrier")).to_be_visible()

    server.customer("receipt", conversation=conversation, message=answer, status="read")
    await expect(page.locator(".message.bot .status")).to_have_class(re.compile("read"))

    await sam.action("return").click()
    await expect(page.locator(".head .tag")).to_have_text("With the bot")
    await expect(page.locator(".brief")).to_be_hidden()
    await sam.action("take").click()
    await expect(page.locator(".head .tag")).to_have_text("With you")
    await sam.action("resolve").click()
    await expect(page.locator(".head .tag")).to_have_text("Resolved")
    await expect(sam.action("resolve")).to_be_disabled()
    await expect(sam.action("take")).to_be_enabled()


async def test_news_appear_by_themselves_and_disturb_nothing(sam: Desk, server: DeskServer) -> None:
    for number in range(40):
        conversation = server.customer("writes", sender="c-live", text=f"line {number}", name="Ada")
    server.customer("handed-over", conversation=conversation)
    await sam.open(conversation)
    await sam.action("take").click()
    await expect(sam.page.locator(".head .tag")).to_have_text("With you")
    await sam.page.locator("textarea").fill("half a sent")
    await sam.page.evaluate("window.notReloaded = true")

    server.customer("writes", sender="c-live", text="are you there?", name="Ada")
    await expect(sam.said("customer", "are you there?")).to_be_in_viewport(timeout=5000)

    # Whoever reads further up stays there, and is told.
    scroller = sam.page.locator(".transcript")
    await scroller.evaluate("element => element.scrollTop = 100")
    await sam.page.wait_for_timeout(200)
    server.customer("writes", sender="c-live", text="hello?", name="Ada")
    await expect(sam.page.locator(".fresh")).to_be_visible()
    assert await scroller.evaluate("element => element.scrollTop") == 100
    await sam.page.locator(".fresh").click()
    await expect(sam.said("customer", "hello?")).to_be_in_viewport()

    server.customer("typing", conversation=conversation)
    await expect(sam.page.locator(".typing")).to_contain_text("is typing")
    await expect(sam.page.locator("textarea")).to_have_value("half a sent")
    assert await sam.page.evaluate("window.notReloaded")

    # Drafts belong to conversations, and outlive a reload.
    other = server.waiting("c-other", "me too", name="Ben")
    await sam.open(other)
    await expect(sam.page.locator("textarea")).to_have_value("")
    await sam.open(conversation, "Mine")
    await expect(sam.page.locator("textarea")).to_have_value("half a sent")
    await sam.page.reload()
    await expect(sam.page.locator(".head h1")).to_have_text("Ada", timeout=15_000)
    await expect(sam.page.locator("textarea")).to_have_value("half a sent")


async def test_two_agents_take_at_once_and_one_is_told(
    browser: Browser, server: DeskServer
) -> None:
    conversation = server.waiting("c-race", "quick please", name="Cleo")
    async with AsyncExitStack() as stack:
        desks = [
            await stack.enter_async_context(agent(browser, server, name))
            for name in ("sam", "alex")
        ]
        for desk in desks:
            await desk.open(conversation)
        await asyncio.gather(*(desk.action("take").click(no_wait_after=True) for desk in desks))
        tags = [desk.page.locator(".head .tag") for desk in desks]
        for tag in tags:
            await expect(tag).to_contain_text("With ")
        owned = [await tag.inner_text() == "With you" for tag in tags]
        assert sorted(owned) == [False, True]
        loser, winner = desks[owned.index(False)], ["Sam", "Alex"][owned.index(True)]
        told = loser.page.locator(".q-notification")
        await expect(told).to_contain_text(f"{winner} has this conversation already")
        await expect(loser.action("take")).to_be_disabled()
        await expect(loser.action("resolve")).to_be_disabled()
        await expect(loser.page.locator("[data-mode=reply]")).to_be_disabled()
        await expect(loser.page.locator(".composer .hint")).to_have_text(f"{winner} answers here")


async def test_what_customers_write_is_text_and_nothing_else(sam: Desk, server: DeskServer) -> None:
    link = {"title": NASTY[0], "url": "javascript:window.hit=1"}
    for text in NASTY:
        conversation = server.customer(
            "writes",
            sender="c-nasty",
            text=text,
            name=NASTY[0],
            understood={"intent": NASTY[1], "entities": [{"entity": NASTY[0], "value": NASTY[2]}]},
            attachments=[{"url": "javascript:window.hit=1", "name": NASTY[0]}],
        )
    server.customer("answered", conversation=conversation, text=NASTY[2], buttons=[link])
    server.customer("handed-over", conversation=conversation, evidence={NASTY[0]: NASTY[1]})
    await sam.open(conversation)
    shown = sam.page.locator(".message.customer .text")
    await expect(shown).to_have_text(NASTY)
    await expect(sam.page.locator(".head h1")).to_have_text(NASTY[0])
    await sam.action("take").click()
    await expect(sam.page.locator(".head .tag")).to_have_text("With you")
    await sam.write(NASTY[0])
    await expect(sam.said("agent", NASTY[0])).to_be_visible()
    await sam.page.wait_for_timeout(300)
    assert await sam.page.evaluate("window.hit") is None
    assert await sam.page.locator("[href^='javascript']").count() == 0
    assert await sam.page.locator(".desk script, .desk iframe, .desk svg, .bubble b").count() == 0


async def test_pictures_are_shown_and_other_files_linked(sam: Desk, server: DeskServer) -> None:
    picture = {
        "url": "https://cdn.shop.example/a.jpg",
        "content_type": "image/jpeg",
        "name": "coat",
    }
    paper = {
        "url": "https://cdn.shop.example/a.pdf",
        "content_type": "application/pdf",
        "name": "bill",
    }
    await sam.page.route("https://cdn.shop.example/**", lambda route: route.abort())
    conversation = server.waiting("c-files", "", attachments=[picture, paper])
    await sam.open(conversation)
    await expect(sam.page.get_by_alt_text("coat")).to_have_attribute("src", picture["url"])
    linked = sam.page.locator(".attachment a", has_text="bill")
    await expect(linked).to_have_attribute("href", paper["url"])
    await expect(sam.page.locator(".card")).to_contain_text("Nobody known yet")


async def test_a_phone_shows_one_thing_at_a_time(browser: Browser, server: DeskServer) -> None:
    conversation = server.waiting("c-phone", "hello from the bus", name="Dora")
    viewport = {"width": 390, "height": 800}
    async with agent(browser, server, "sam", viewport=viewport, color_scheme="dark") as desk:
        page = desk.page
        await expect(page.locator(".chat")).to_be_hidden()
        await desk.open(conversation)
        await expect(page.locator(".queue")).to_be_hidden()
        await page.get_by_role("button", name="Customer").click()
        await expect(page.locator(".card")).to_be_visible()
        await page.locator(".card .close").click()
        await page.get_by_role("button", name="Back to the list").click()
        await expect(page.locator(".queue")).to_be_visible()
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, "nothing sticks out sideways"
        ground = "getComputedStyle(document.body).backgroundColor"
        dark = await page.evaluate(ground)
        theme = page.get_by_role("button", name="Theme")
        await theme.click()
        await expect(theme).to_have_attribute("title", "Theme: light")
        assert await page.evaluate(ground) != dark


async def test_the_keyboard_is_enough(sam: Desk, server: DeskServer) -> None:
    first = server.waiting("c-keys-1", "one", name="Eve")
    second = server.waiting("c-keys-2", "two", name="Finn")
    await sam.open(first)
    await sam.page.locator(".transcript").focus()
    await sam.page.keyboard.press("j")
    await expect(sam.page.locator(".head h1")).to_have_text("Finn")
    await expect(sam.line(second)).to_have_class(re.compile("selected"))
    await sam.page.keyboard.press("k")
    await expect(sam.page.locator(".head h1")).to_have_text("Eve")
    await sam.line(first).focus()
    await sam.page.keyboard.press("ArrowDown")
    await expect(sam.line(second)).to_be_focused()
    await sam.page.keyboard.press("Enter")
    await expect(sam.page.locator(".head h1")).to_have_text("Finn")
    await sam.page.locator("textarea").focus()
    await sam.page.keyboard.type("j first")
    await sam.page.keyboard.press("Shift+Enter")
    await sam.page.keyboard.type("second")
    await sam.page.keyboard.press("Control+Enter")
    await expect(sam.said("note", "j first")).to_have_text("j first\nsecond")


async def test_logging_out_ends_every_window(sam: Desk, server: DeskServer) -> None:
    other = await sam.page.context.new_page()
    await other.goto(f"{server.url}/desk/")
    await expect(other.get_by_role("tab", name="Waiting")).to_be_visible(timeout=15_000)
    await other.get_by_role("button", name="Log out").click()
    await expect(sam.page.get_by_role("heading", name="Log in to the desk")).to_be_visible(
        timeout=10_000
    )
    await other.close()


async def test_what_could_not_be_sent_says_why_and_is_sent_again(
    sam: Desk, server: DeskServer
) -> None:
    conversation = server.customer("writes", sender="c-dead", text="where is it?", name="Ada")
    message = server.customer("answered", conversation=conversation, text="On its way.")
    server.customer("refused", message=message)
    await sam.page.goto(f"{server.url}/desk/?conversation={conversation}")
    await expect(sam.page.locator(".failed")).to_contain_text("opted out")
    await sam.page.get_by_role("button", name="Send again").click()
    await expect(sam.page.locator(".message.bot")).to_have_count(2)
    first = sam.page.locator(".message.bot .status").first
    await expect(first).to_contain_text("Not delivered; sent again")
    await expect(sam.page.locator(".failed")).to_have_count(0)
