"""The web chat's widget in a real Chromium, with a scripted shop behind it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, Route, expect

from bot.core.messages import Author, Status
from connectors.channels.webchat import create
from tests.browser.webchat_shop import Shop, answer, served
from tests.webchat_backend import SECRET, MemoryBackend

NASTY = '<img src=x onerror="window.hit=1"><script>window.hit=1</script> & <b>bold</b>'


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    backend = MemoryBackend(create("webchat", {"secret": SECRET}, "http://127.0.0.1"), answer)
    async with served(backend) as url:
        yield Shop(url, backend)


@pytest.fixture
async def page(browser: Browser, shop: Shop) -> AsyncIterator[Page]:
    context = await browser.new_context(reduced_motion="reduce")
    page = await context.new_page()
    page.set_default_timeout(5_000)
    await page.goto(shop.url)
    yield page
    await context.close()


async def opened(page: Page) -> None:
    await page.get_by_role("button", name="Open chat").click()
    await expect(page.get_by_role("dialog", name="Juniper & Co")).to_be_visible()


async def send(page: Page, text: str) -> None:
    await page.get_by_label("Your message").fill(text)
    await page.get_by_role("button", name="Send").click()


async def sees(page: Page, author: str, text: str) -> None:
    await expect(page.locator(f".m.{author} .text").filter(has_text=text)).to_have_count(1)


async def test_a_message_is_sent_and_answered_live(page: Page, shop: Shop) -> None:
    await opened(page)
    await expect(page.get_by_role("button", name="Where is my order?")).to_be_visible()
    await send(page, "Hello there")
    await sees(page, "customer", "Hello there")
    await sees(page, "bot", "You wrote: Hello there")
    await expect(page.get_by_role("button", name="Where is my order?")).to_have_count(0)
    await shop.types("agent")
    await expect(page.get_by_text("Typing…")).to_be_visible()
    await shop.backend.say(shop.conversation, Author.SYSTEM, "Priya has joined")
    await shop.backend.say(shop.conversation, Author.AGENT, "I am Priya", name="Priya")
    await sees(page, "agent", "I am Priya")
    await sees(page, "system", "Priya has joined")
    await expect(page.get_by_text("You are chatting with Priya")).to_be_visible()
    await expect(page.get_by_text("Typing…")).to_have_count(0)


async def test_a_starter_and_a_button_answer_for_the_customer(page: Page, shop: Shop) -> None:
    await opened(page)
    await page.get_by_role("button", name="Start a return").click()
    await sees(page, "bot", "Shall I book a return")
    rules = page.get_by_role("link", name="Our rules")
    await expect(rules).to_have_attribute("href", f"{shop.url}/rules")
    await expect(rules).to_have_attribute("rel", "noopener noreferrer")
    await expect(page.get_by_text("Wrong")).to_have_count(0)  # no javascript: links
    await page.get_by_role("button", name="Yes, please").click()
    await sees(page, "bot", "Your return is booked.")
    assert [(m.text, m.button) for m in shop.backend.inbound] == [
        ("Start a return", None),
        ("Yes, please", "tok-yes"),
    ]
    await sees(page, "customer", "Yes, please")
    await expect(page.get_by_role("button", name="Yes, please")).to_have_count(0)


async def test_pictures_and_links_are_shown(page: Page, shop: Shop) -> None:
    await opened(page)
    await send(page, "Show me the coat")
    await expect(page.get_by_alt_text("Navy winter coat")).to_be_visible()
    link = page.locator(".m.bot .text a")
    await expect(link).to_have_attribute("href", "https://shop.example/coat?a=1&b=2")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")


async def test_text_is_shown_as_it_was_written(page: Page, shop: Shop) -> None:
    await opened(page)
    await send(page, NASTY)
    for author in ("customer", "bot"):
        await expect(page.locator(f".m.{author} .text").last).to_have_text(NASTY)
    await shop.backend.say(shop.conversation, Author.AGENT, NASTY, name=NASTY)
    await expect(page.locator(".m.agent .who")).to_have_text(NASTY)
    assert await page.evaluate("window.hit") is None
    assert await page.locator(".log img, .log script, .log b").count() == 0


async def test_a_reload_and_another_page_resume_the_conversation(page: Page, shop: Shop) -> None:
    await opened(page)
    await send(page, "Remember me")
    await sees(page, "bot", "You wrote: Remember me")
    await page.reload()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await sees(page, "customer", "Remember me")
    await sees(page, "bot", "You wrote: Remember me")
    another = await page.context.new_page()
    await another.goto(shop.url)
    await sees(another, "bot", "You wrote: Remember me")
    await send(another, "From the other page")
    await sees(page, "customer", "From the other page")
    assert len(shop.backend.transcript.rows) == 1
    assert shop.backend.transcript.rows[shop.conversation][0].status is Status.PROCESSED


async def test_what_came_while_the_chat_was_closed_is_counted(page: Page, shop: Shop) -> None:
    await opened(page)
    await send(page, "Hello")
    await sees(page, "bot", "You wrote: Hello")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    for text in ("one", "two"):
        await shop.backend.say(shop.conversation, Author.BOT, text)
    await expect(page.get_by_role("button", name="Open chat, 2 unread")).to_be_visible()
    await page.reload()
    await page.get_by_role("button", name="Open chat, 2 unread").click()
    await sees(page, "bot", "two")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Open chat", exact=True)).to_be_visible()


async def focused(page: Page) -> str:
    script = """() => {
      const inner = document.getElementById("frontdesk-chat").shadowRoot.activeElement;
      const found = inner || document.activeElement;
      return found.getAttribute("aria-label") || found.textContent.trim();
    }"""
    return str(await page.evaluate(script))


async def test_everything_works_from_the_keyboard(page: Page, shop: Shop) -> None:
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    assert await focused(page) == "Open chat"
    await page.keyboard.press("Enter")
    assert await focused(page) == "Your message"
    await page.keyboard.type("first line")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("second line")
    await page.keyboard.press("Enter")
    await expect(page.locator(".m.customer .text")).to_have_text("first line\nsecond line")
    await sees(page, "bot", "second line")
    await page.keyboard.type("a return")
    await page.keyboard.press("Enter")
    await sees(page, "bot", "Shall I book")
    stops = []
    for _ in range(6):
        await page.keyboard.press("Tab")
        stops.append(await focused(page))
    assert stops == ["Send", "Close chat", "Messages", "Yes, please", "Our rules", "Your message"]
    for _ in range(2):
        await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await sees(page, "bot", "Your return is booked.")
    assert await focused(page) == "Your message"
    await page.keyboard.press("Escape")
    assert await focused(page) == "Open chat"


async def test_what_could_not_be_sent_waits_and_goes_once(page: Page, shop: Shop) -> None:
    await opened(page)
    await send(page, "Hello")
    await sees(page, "bot", "You wrote: Hello")
    await page.context.set_offline(True)
    await send(page, "Are you there?")
    again = page.get_by_role("button", name="Not sent")
    await expect(again).to_be_visible()
    await expect(page.get_by_text("No connection. Trying again…")).to_be_visible()
    await page.context.set_offline(False)
    await sees(page, "bot", "You wrote: Are you there?")
    await sees(page, "customer", "Are you there?")
    await expect(again).to_have_count(0)
    await expect(page.get_by_text("No connection. Trying again…")).to_have_count(0)


async def test_an_answer_that_got_lost_does_not_send_twice(page: Page, shop: Shop) -> None:
    await opened(page)
    taken = 0

    async def lose(route: Route) -> None:
        nonlocal taken
        taken += 1
        await route.fetch()  # the server has it, and the widget never hears of that
        await route.abort()

    async def silent(route: Route) -> None:
        await route.abort()

    pattern = re.compile(r"/webchat/messages$")
    live = re.compile(r"/webchat/(live|messages\?)")
    await page.route(live, silent)
    await page.reload()
    await page.route(pattern, lose)
    await send(page, "quiet please")
    again = page.get_by_role("button", name="Not sent")
    await expect(again).to_be_visible(timeout=10_000)
    assert taken == 3
    await page.unroute(pattern)
    await again.click()
    await expect(again).to_have_count(0)
    await page.unroute(live)
    await expect(page.locator(".m.customer.waiting")).to_have_count(0)
    assert [m.text for m in shop.backend.inbound] == ["quiet please"]


async def test_a_refused_message_is_said_and_not_tried_again(page: Page, shop: Shop) -> None:
    await opened(page)
    refuse = re.compile(r"/webchat/messages$")
    await page.route(refuse, lambda route: route.fulfill(status=400, json={"detail": "no"}))
    await send(page, "Refused")
    await expect(page.get_by_text("This message cannot be sent")).to_be_visible()
    await page.unroute(refuse)
    await send(page, "Taken")
    await sees(page, "bot", "You wrote: Taken")
    await page.reload()
    await sees(page, "bot", "You wrote: Taken")
    assert [m.text for m in shop.backend.inbound] == ["Taken"]


async def test_unsent_messages_survive_a_reload(page: Page, shop: Shop) -> None:
    await opened(page)
    await page.route(re.compile("/webhooks/"), lambda route: route.abort())
    await send(page, "Keep this")
    await expect(page.get_by_role("button", name="Not sent")).to_be_visible(timeout=10_000)
    await page.unroute(re.compile("/webhooks/"))
    await page.unroute_all()
    await page.reload()
    await sees(page, "bot", "You wrote: Keep this")
    await sees(page, "customer", "Keep this")
    assert len(shop.backend.inbound) == 1


async def test_it_polls_where_streams_do_not_get_through(page: Page, shop: Shop) -> None:
    await page.route(re.compile("/webchat/live"), lambda route: route.fulfill(status=502))
    await opened(page)
    await send(page, "Hello")
    await expect(page.locator(".m.bot .text").last).to_have_text("You wrote: Hello", timeout=10_000)


async def test_a_token_that_is_no_longer_good_starts_anew(page: Page, shop: Shop) -> None:
    await opened(page)
    await send(page, "Hello")
    await sees(page, "bot", "You wrote: Hello")
    await page.evaluate(
        """localStorage.setItem("frontdesk:webchat:session",
             JSON.stringify({token: "a.b.c", conversation: "x"}))"""
    )
    await page.reload()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await send(page, "Somebody new")
    await sees(page, "bot", "You wrote: Somebody new")
    await expect(page.get_by_text("You wrote: Hello")).to_have_count(0)
    assert len(shop.backend.transcript.rows) == 2


async def test_a_phone_gives_it_the_whole_screen(browser: Browser, shop: Shop) -> None:
    context = await browser.new_context(
        viewport={"width": 375, "height": 667},
        has_touch=True,
        is_mobile=True,
        color_scheme="dark",
        reduced_motion="reduce",
    )
    page = await context.new_page()
    await page.goto(shop.url)
    await page.get_by_role("button", name="Open chat").tap()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_have_attribute("aria-modal", "true")
    await expect(dialog).to_have_css("position", "fixed")
    assert await dialog.bounding_box() == {"x": 0, "y": 0, "width": 375, "height": 667}
    await expect(dialog).to_have_css("background-color", "rgb(24, 28, 26)")
    sizes = await page.evaluate(
        """[...document.getElementById("frontdesk-chat").shadowRoot.querySelectorAll(
             ".panel button")].map((b) => b.getBoundingClientRect())
             .map((box) => Math.min(box.width, box.height))"""
    )
    assert min(sizes) >= 44
    await context.close()


@pytest.mark.parametrize("listed", [True, False])
async def test_a_page_of_another_site_may_embed_it_when_it_is_listed(
    page: Page, shop: Shop, listed: bool
) -> None:
    site = shop.url.replace("127.0.0.1", "localhost")
    if listed:
        shop.backend.channel.origins |= {site}
    await page.goto(f"{site}/another-site")
    await opened(page)
    await send(page, "Hello from afar")
    if listed:
        await sees(page, "bot", "You wrote: Hello from afar")
        await shop.backend.say(shop.conversation, Author.AGENT, "Live too", name="Priya")
        await sees(page, "agent", "Live too")
    else:
        await expect(page.get_by_role("button", name="Not sent")).to_be_visible(timeout=10_000)
        assert not shop.backend.inbound
