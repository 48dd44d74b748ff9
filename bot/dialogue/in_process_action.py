"""A custom action that runs in this process, as Rasa runs one of an action server.

Rasa's own `RemoteAction` checks each result against a JSON schema, and each time that schema
against the schema of schemas: 1.2 ms, where a whole turn takes some eight. Here it is read once.
"""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft7Validator
from rasa import __version__
from rasa.core.actions.action import (
    Action,
    ActionExecutionRejection,
    RemoteAction,
    create_bot_utterance,
)
from rasa.core.channels.channel import OutputChannel
from rasa.core.nlg import NaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, Event, deserialise_events
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity
from rasa.shared.exceptions import RasaException
from rasa.utils.endpoints import ClientResponseError

from bot.dialogue.action_endpoint import InProcessActions

_RESULT = Draft7Validator(RemoteAction.action_response_format_spec())


class InProcessAction(Action):
    """A custom action of the assistant.

    Args:
        name: As the domain has it.
        actions: Runs it.
    """

    def __init__(self, name: str, actions: InProcessActions) -> None:
        self._name, self._actions = name, actions

    def name(self) -> str:
        """Its name."""
        return self._name

    async def run(
        self,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
        tracker: DialogueStateTracker,
        domain: Domain,
    ) -> list[Event]:
        """What was said and what happened.

        Raises:
            ActionExecutionRejection: It refused; Rasa asks the policies again.
            RasaException: It gave what is neither events nor responses.
        """
        call = {
            "next_action": self._name,
            "sender_id": tracker.sender_id,
            "tracker": tracker.current_state(EventVerbosity.ALL),
            "domain": domain.as_dict(),
            "version": __version__,
        }
        try:
            result = await self._actions.request(json=call)
        except ClientResponseError as error:
            refused = json.loads(error.text)
            raise ActionExecutionRejection(refused["action_name"], refused["error"]) from error
        wrong = next(_RESULT.iter_errors(result), None)
        if wrong is not None:
            # The message would quote the result, and with it what a customer said.
            place = "/".join(map(str, wrong.absolute_path))
            raise RasaException(f"The result of {self._name} is wrong at '{place}'.")
        said = [
            message
            for response in result.get("responses", [])
            if (message := await self._message(response, output_channel, nlg, tracker))
        ]
        return [*said, *deserialise_events(result.get("events", []))]

    @staticmethod
    async def _message(
        response: dict[str, Any],
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
        tracker: DialogueStateTracker,
    ) -> BotUttered | None:
        """One message: a response of the domain, and over it what the action gave itself."""
        given = dict(response)
        name, buttons = given.pop("response", None), given.pop("buttons", None) or []
        message: dict[str, Any] = {}
        if name:
            made = await nlg.generate(name, tracker, output_channel.name(), **given)
            if not made:
                return None
            message = {**made, "utter_action": name}
        if buttons:
            message["buttons"] = [*message.get("buttons", []), *buttons]
        # What is empty overwrites nothing.
        message |= {key: value for key, value in given.items() if value}
        return create_bot_utterance(message)
