"""The desk's pages over HTTP: login, sessions, origins, headers."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from desk.pages.links import web_address
from desk.pages.login import WRONG
from tests.browser.desk_server import DeskServer, serve_desk
from tests.desk_office import PASSWORD


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskServer]:
    with serve_desk(tmp_path_factory.mktemp("desk")) as running:
        yield running


@pytest.fixture
def client(server: DeskServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as opened:
        yield opened


def test_without_a_session_there_is_only_the_login(client: httpx.Client) -> None:
    for path in (
        "/desk/",
        "/desk/anything",
        "/desk/_nicegui_ws/socket.io/?EIO=4&transport=polling",
    ):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk/login"), path
    assert client.post("/desk/_nicegui/client/x/upload").status_code == 303
    assert client.get("/desk").headers["location"].endswith("/desk/")


def test_logging_in_and_out(server: DeskServer, client: httpx.Client) -> None:
    answer = server.log_in(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "Path=/desk", "SameSite=lax"} <= set(cookie.split("; "))
    assert client.get("/desk/").status_code == 200
    old = dict(client.cookies)
    assert client.post("/desk/logout", headers={"origin": server.url}).status_code == 303
    assert client.get("/desk/").status_code == 303
    # The session itself is over, not only this browser's memory of it.
    answer = httpx.get(f"{server.url}/desk/", cookies=old)
    assert answer.status_code == 303


def test_a_login_begins_a_new_session_and_ends_the_old_one(
    server: DeskServer, client: httpx.Client
) -> None:
    server.log_in(client)
    first = client.cookies["frontdesk_session"]
    server.log_in(client, "alex")
    second = client.cookies["frontdesk_session"]
    assert first != second
    for token, status in ((first, 303), (second, 200), ("planted", 303)):
        answer = httpx.get(f"{server.url}/desk/", cookies={"frontdesk_session": token})
        assert answer.status_code == status


def test_refused_logins_look_alike(server: DeskServer, client: httpx.Client) -> None:
    wrong, unknown = (server.log_in(client, name, "wrong") for name in ("sam", "nobody"))
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert WRONG in wrong.text
    assert wrong.text.replace("sam@", "nobody@") == unknown.text
    assert "set-cookie" not in wrong.headers


@pytest.mark.parametrize(
    "email", ['"><script>alert(1)</script>', "a\x00b", "\ud83d", "$base", "x" * 7000, ""]
)
def test_odd_addresses_are_refused_and_shown_as_text(
    server: DeskServer, client: httpx.Client, email: str
) -> None:
    form = {"email": email.encode("utf-8", "surrogatepass"), "password": "wrong"}
    answer = client.post("/desk/login", data=form)
    assert answer.status_code == 401
    assert "<script>alert" not in answer.text


def test_a_large_form_is_not_read(client: httpx.Client) -> None:
    assert client.post("/desk/login", data={"email": "x" * 9000}).status_code == 413


def test_other_sites_cannot_act_for_an_agent(server: DeskServer, client: httpx.Client) -> None:
    server.log_in(client)
    for path in ("/desk/login", "/desk/logout", "/desk/_nicegui/client/x/upload"):
        for origin in ("https://evil.example", "null"):
            form = {"email": "sam@shop.example", "password": PASSWORD}
            answer = client.post(path, data=form, headers={"origin": origin})
            assert answer.status_code == 403, (path, origin)
    assert client.get("/desk/").status_code == 200


@pytest.mark.parametrize(("origin", "logged_in"), [("evil", True), ("own", False), (None, False)])
def test_the_websocket_needs_a_session_and_our_own_page(
    server: DeskServer, client: httpx.Client, origin: str | None, logged_in: bool
) -> None:
    cookie = ""
    if logged_in:
        server.log_in(client)
        cookie = f"frontdesk_session={client.cookies['frontdesk_session']}"
    host = server.url.removeprefix("http://")
    headers = {"Cookie": cookie} if cookie else {}
    if origin:
        headers["Origin"] = server.url if origin == "own" else "https://evil.example"
    address = f"ws://{host}/desk/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    with pytest.raises(InvalidStatus) as refused, connect(address, additional_headers=headers):
        pass
    assert refused.value.response.status_code == 403


def test_the_websocket_opens_for_our_own_page(server: DeskServer, client: httpx.Client) -> None:
    server.log_in(client)
    headers = {
        "Cookie": f"frontdesk_session={client.cookies['frontdesk_session']}",
        "Origin": server.url,
    }
    address = f"{server.url.replace('http', 'ws')}/desk/_nicegui_ws/socket.io/"
    with connect(f"{address}?EIO=4&transport=websocket", additional_headers=headers) as socket:
        assert str(socket.recv(timeout=10)).startswith("0")


def test_nothing_is_loaded_from_elsewhere_and_nobody_frames_us(
    server: DeskServer, client: httpx.Client
) -> None:
    login = client.get("/desk/login")
    server.log_in(client)
    for page in (login, client.get("/desk/")):
        policy = page.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("url", "followed"),
    [
        ("https://shop.example/a.jpg", True),
        ("http://shop.example/a", True),
        ("/media/a.jpg", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        (" javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,<script>alert(1)</script>", False),
        ("vbscript:x", False),
        ("//evil.example/a", False),
        ("/\\evil.example", False),
        ("https:///nothing", False),
        ("http://[broken", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_only_web_addresses_become_links(url: str, followed: bool) -> None:
    assert web_address(url) == (url if followed else "")
