"""Starts the stand-in by hand: prints its address, and each line typed becomes a customer's SMS."""

from __future__ import annotations

import argparse
import sys

from tests.standins.twilio.server import TwilioStandin


def main() -> None:
    """Runs until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8010)
    parser.add_argument("--webhook", default="http://127.0.0.1:8000/webhooks/twilio/webhook")
    parser.add_argument("--shop", default="+447700900100", help="the shop's number")
    parser.add_argument("--customer", default="+447700900111", help="the customer's number")
    options = parser.parse_args()
    with TwilioStandin(port=options.port) as twilio:
        print(f"api_base_url: {twilio.base_url}")
        print(f"account_sid: {twilio.account_sid}\nauth_token: {twilio.auth_token}", flush=True)
        for line in sys.stdin:
            replies = twilio.customer_sends(
                options.customer, line.strip(), to=options.shop, webhook_url=options.webhook
            )
            print(f"webhook answered {replies[0].status}", flush=True)
        for message in twilio.record.messages:
            if message.direction != "inbound":
                print(f"{message.to}: {message.body}")


if __name__ == "__main__":
    main()
