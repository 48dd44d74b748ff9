"""The stand-in refuses what Twilio refuses; else the channel's tests would prove little."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.standins.twilio import TwilioStandin
from tests.standins.twilio.webhooks import signature

SHOP, CUSTOMER = "+447700900100", "+447700900111"
GOOD = {"From": SHOP, "To": CUSTOMER, "Body": "hi"}


class Raw:
    """The API without the SDK."""

    def __init__(self, twilio: TwilioStandin, session: aiohttp.ClientSession) -> None:
        self.twilio, self._session = twilio, session
        self.path = f"/2010-04-01/Accounts/{twilio.account_sid}/Messages.json"

    async def call(
        self, method: str, path: str, token: str | None = None, **more: dict[str, str]
    ) -> tuple[int, dict[str, object]]:
        user = f"{self.twilio.account_sid}:{token or self.twilio.auth_token}"
        headers = {"Authorization": "Basic " + base64.b64encode(user.encode()).decode()}
        async with self._session.request(
            method,
            self.twilio.base_url + path,
            headers=headers,
            params=more.get("params"),
            data=more.get("data"),
        ) as response:
            return response.status, await response.json()


@pytest.fixture
async def raw() -> AsyncIterator[Raw]:
    with TwilioStandin() as twilio:
        async with aiohttp.ClientSession() as session:
            yield Raw(twilio, session)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"To": ""}, 21604),
        ({"To": "12"}, 21211),
        ({"From": ""}, 21603),
        ({"Body": ""}, 21619),
        ({"Body": "x" * 1601}, 21617),
        ({"MediaUrl": "a.jpg"}, 21620),
        ({"StatusCallback": "nowhere"}, 21609),
        ({"To": "whatsapp:" + CUSTOMER}, 63007),
    ],
)
async def test_refusals(raw: Raw, change: dict[str, str], code: int) -> None:
    status, answer = await raw.call("POST", raw.path, data={**GOOD, **change})
    assert (status, answer["code"]) == (400, code)
    assert raw.twilio.record.messages == []


async def test_at_the_limit(raw: Raw) -> None:
    status, answer = await raw.call("POST", raw.path, data={**GOOD, "Body": "x" * 1600})
    assert (status, answer["status"]) == (201, "queued")


async def test_credentials_are_checked(raw: Raw) -> None:
    assert (await raw.call("POST", raw.path, token="wrong", data=GOOD))[0] == 401
    assert (await raw.call("GET", raw.path.replace("AC", "AD")))[0] == 404


async def test_list_is_filtered_and_paged_newest_first(raw: Raw) -> None:
    for number in range(3):
        await raw.call("POST", raw.path, data={**GOOD, "Body": str(number)})
    await raw.call("POST", raw.path, data={**GOOD, "To": "+447700900122"})
    params = {"To": CUSTOMER, "From": SHOP, "PageSize": "2"}
    _, page = await raw.call("GET", raw.path, params=params)
    assert bodies(page) == ["2", "1"]
    _, page = await raw.call("GET", str(page["next_page_uri"]))
    assert (bodies(page), page["next_page_uri"]) == (["0"], None)


async def test_a_message_can_be_fetched(raw: Raw) -> None:
    _, created = await raw.call("POST", raw.path, data=GOOD)
    _, fetched = await raw.call("GET", raw.path.replace(".json", f"/{created['sid']}.json"))
    assert fetched["body"] == "hi"


def test_it_signs_as_the_published_vector() -> None:
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
        "Caller": "+14158675309",
        "Body": "",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature("12345", url, fields.items()) == "6oT2GOm5KeUqfXDwvhq5UcH5LF0="


def bodies(page: dict[str, object]) -> list[str]:
    messages = page["messages"]
    assert isinstance(messages, list)
    return [str(message["body"]) for message in messages]
