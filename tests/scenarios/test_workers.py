"""`frontdesk serve --workers 2` as a real process: on one port, and whole again after a kill."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin

from tests.postgres import temporary_database
from tests.process import ROOT, Server, Visitor, free_port, running, trained_model

ASKED = "when are you open?"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers on one PostgreSQL."""
    with (
        temporary_database() as url,
        running(
            tmp_path_factory.mktemp("pair"),
            FRONTDESK_WORKERS="2",
            FRONTDESK_DATABASE_URL=url,
            FRONTDESK_LOG_FORMAT="json",
        ) as server,
    ):
        until(lambda: len(workers(server)) == 2)
        yield server


def workers(server: Server) -> list[psutil.Process]:
    """The processes that serve."""
    assert server.process is not None
    watching = psutil.Process(server.process.pid)
    forking = [child for child in watching.children() if "forkserver" in " ".join(child.cmdline())]
    return [worker for process in forking for worker in process.children()]


def somebody_asks(server: Server) -> None:
    """A new customer asks and is answered."""
    with Visitor(server.url) as visitor:
        assert visitor.ask(ASKED)


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_killed_worker_is_replaced_and_customers_do_not_notice(pair: Server) -> None:
    victim = min(process.pid for process in workers(pair))
    os.kill(victim, signal.SIGKILL)
    for _ in range(4):
        somebody_asks(pair)
    until(lambda: len({p.pid for p in workers(pair)} - {victim}) == 2)
    assert '"message": "worker ' in pair.log


def test_figures_are_those_of_all_workers(pair: Server) -> None:
    def turns() -> float:
        lines = httpx.get(f"{pair.url}/metrics", timeout=10).text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("frontdesk_turns_"))

    before = turns()
    for _ in range(4):
        somebody_asks(pair)
    # Whichever worker is asked.
    assert [turns() for _ in range(6)] == [before + 4] * 6


async def test_pages_of_the_desk_find_the_worker_that_made_them(pair: Server) -> None:
    # Each page and each websocket is taken by whichever worker comes first.
    for _ in range(8):
        async with httpx.AsyncClient(base_url=pair.url, follow_redirects=True) as browser:
            page = await browser.post("/desk/login", data=pair.login)
            (client,) = set(re.findall(r"'client_id': '([-\w]+)'", page.text))
            assert await opened(pair, client, browser.cookies) == "40"


async def test_a_page_that_nobody_made_is_told_so(pair: Server) -> None:
    async with httpx.AsyncClient(base_url=pair.url, follow_redirects=True) as browser:
        await browser.post("/desk/login", data=pair.login)
        assert await opened(pair, "no-page", browser.cookies) == "44"


async def test_only_agents_may_ask_whose_a_page_is(pair: Server) -> None:
    async with httpx.AsyncClient(base_url=pair.url) as stranger:
        assert (await stranger.get("/desk/_page/no-page")).status_code == 303


async def opened(server: Server, client: str, cookies: httpx.Cookies) -> str:
    """What Socket.IO says to the page's websocket: 40 when it is connected, 44 when refused."""
    query = f"client_id={client}&implicit_handshake=true&tab_id=t&document_id=d&next_message_id=0"
    address = f"ws://127.0.0.1:{server.port}/desk/_nicegui_ws/socket.io/?{query}"
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    async with connect(
        f"{address}&EIO=4&transport=websocket",
        origin=Origin(server.url),
        additional_headers=headers,
        proxy=None,
    ) as socket:
        assert str(await socket.recv()).startswith("0")
        await socket.send("40")
        return str(await socket.recv())[:2]


def test_sigterm_ends_all(pair: Server) -> None:
    assert pair.process is not None
    children = psutil.Process(pair.process.pid).children(recursive=True)
    assert pair.stop() == 0
    psutil.wait_procs(children, timeout=10)
    assert not [child for child in children if child.is_running()]


def test_workers_end_with_the_process_that_watches_over_them(tmp_path: Path) -> None:
    with (
        temporary_database() as url,
        running(tmp_path, FRONTDESK_WORKERS="2", FRONTDESK_DATABASE_URL=url) as server,
    ):
        until(lambda: len(workers(server)) == 2)
        children = workers(server)
        server.stop(signal.SIGKILL)
        _, alive = psutil.wait_procs(children, timeout=30)
        assert not alive


def test_sqlite_has_one_worker(tmp_path: Path) -> None:
    answered = subprocess.run(
        [sys.executable, "-m", "bot.cli", "serve", "--workers", "2"],
        cwd=ROOT,
        env=os.environ
        | {"FRONTDESK_STATE_DIR": str(tmp_path), "FRONTDESK_MODEL": str(trained_model())},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answered.returncode == 2
    assert "FRONTDESK_WORKERS" in answered.stderr
    assert "FRONTDESK_DATABASE_URL to a PostgreSQL database" in answered.stderr


def test_what_is_wrong_ends_the_start(tmp_path: Path) -> None:
    broken = tmp_path / "endpoints.yml"
    broken.write_text("crm:\n  type: none\n")
    answered = subprocess.run(
        [sys.executable, "-m", "bot.cli", "serve", "--workers", "2", "--endpoints", str(broken)],
        cwd=ROOT,
        env=os.environ
        | {
            "FRONTDESK_STATE_DIR": str(tmp_path),
            "FRONTDESK_MODEL": str(trained_model()),
            "FRONTDESK_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
            "FRONTDESK_PORT": str(free_port()),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answered.returncode == 2
    assert "endpoints.yml: crm.type" in answered.stderr
