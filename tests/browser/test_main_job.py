"""The main job as two people see it: a customer on the shop's page and an agent at the desk.

With ``FRONTDESK_PICTURES=<folder>`` it also takes the README's pictures.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.process import Server, running

NONSENSE = ("blorple wug snizzle frabjous", "qwxz vbnk plorf zzyx")
REPLY = "Hello, Sam here. I can see your order: it arrives tomorrow before noon."
PICTURES = os.environ.get("FRONTDESK_PICTURES")
# A new message reaches the desk within a second; the browser needs a moment to draw it.
LIVE_MS = 2_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("main-job")) as started:
        yield started


@pytest.fixture
async def customer(browser: Browser, server: Server) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1180, "height": 760})
    page = await context.new_page()
    page.set_default_timeout(15_000)
    await page.goto(server.url)
    await page.get_by_role("button", name="Open chat").click()
    yield page
    await context.close()


@pytest.fixture
async def agent(browser: Browser, server: Server) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    page.set_default_timeout(15_000)
    await page.goto(f"{server.url}/desk/")
    await page.get_by_label("E-mail").fill(server.login["email"])
    await page.get_by_label("Password").fill(server.login["password"])
    await page.get_by_role("button", name="Log in").click()
    await expect(page.locator(".queue .lines, .queue .empty").first).to_be_visible()
    yield page
    await context.close()


async def write(page: Page, text: str) -> None:
    await page.get_by_label("Your message").fill(text)
    await page.get_by_role("button", name="Send").click()


async def last(page: Page, author: str) -> str:
    return await page.locator(f".m.{author} .text").last.inner_text()


async def answered(page: Page, author: str, count: int) -> None:
    """Waits until this author has written so many messages."""
    await expect(page.locator(f".m.{author} .text")).to_have_count(count, timeout=15_000)


async def ask(page: Page, text: str) -> str:
    """Writes, and gives the bot's next message."""
    before = await page.locator(".m.bot .text").count()
    await write(page, text)
    await expect(page.locator(".m.bot .text").nth(before)).to_be_visible(timeout=15_000)
    await asyncio.sleep(0.5)
    return await last(page, "bot")


async def picture(page: Page, name: str) -> None:
    if PICTURES:
        await asyncio.sleep(1)
        await page.screenshot(path=Path(PICTURES) / name)


async def test_from_the_first_question_to_a_human_and_back(
    customer: Page, agent: Page, server: Server
) -> None:
    # The bot answers from the shop's data, once it knows who is asking.
    assert "order number" in (await ask(customer, "where is my order?")).lower()
    await ask(customer, "FD-104233")
    told = await ask(customer, "maya.okafor@example.com")
    assert "FD-104233" in told
    await expect(customer.get_by_role("link", name="Track")).to_be_visible()
    await picture(customer, "chat.png")

    # Twice nonsense: first it asks, then it gets a human and says so.
    await ask(customer, NONSENSE[0])
    await expect(customer.locator(".m.bot").last.get_by_role("button").first).to_be_visible()
    await write(customer, NONSENSE[1])
    await expect(customer.locator(".m.system .text").last).to_be_visible()

    # The agent sees it without reloading, with the reason and the customer's card.
    line = agent.locator(".line").first
    await expect(line).to_be_visible(timeout=LIVE_MS)
    await line.click()
    await expect(agent.locator(".message .text", has_text=NONSENSE[1])).to_be_visible()
    await expect(agent.get_by_text("maya.okafor@example.com").first).to_be_visible()
    await agent.locator("[data-action=take]").click()
    await expect(customer.locator(".m.system .text", has_text="Sam")).to_be_visible()
    await expect(agent.locator(".head .tag")).to_have_text("With you")
    await agent.locator("textarea").fill(REPLY)
    await agent.keyboard.press("Enter")
    await expect(customer.locator(".m.agent .text", has_text=REPLY)).to_be_visible()

    # While a human owns the chat the bot is silent, and the agent reads the customer live.
    bot_said = await customer.locator(".m.bot .text").count()
    await write(customer, "great, and what are your opening hours in leeds?")
    said = agent.locator(".message.customer .text", has_text="opening hours")
    await expect(said).to_be_visible(timeout=LIVE_MS)
    await asyncio.sleep(1)
    assert await customer.locator(".m.bot .text").count() == bot_said
    await picture(agent, "desk.png")

    # Resolved: the customer is told, and the bot answers again.
    await agent.locator("[data-action=resolve]").click()
    await expect(customer.locator(".m.system .text")).to_have_count(3)
    assert "Leeds" in await ask(customer, "what are your opening hours in leeds?")


async def test_the_conversation_is_there_after_a_reload(customer: Page) -> None:
    said = await ask(customer, "do you take paypal?")
    await customer.reload()
    await expect(customer.locator(".m.bot .text", has_text=said)).to_be_visible()
