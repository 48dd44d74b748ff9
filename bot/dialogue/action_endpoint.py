"""Custom actions: run in this process, or by an action server; a failure is never silence."""

from __future__ import annotations

import json
import logging
from typing import Any

from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection

from bot.core.conversation import HandoffReason
from bot.core.errors import ConfigurationError
from bot.dialogue.floor import floor_left

logger = logging.getLogger(__name__)

# The dialogue's own words for a failed lookup.
APOLOGY_RESPONSE = "utter_lookup_failed"


def load_actions(package: str) -> ActionExecutor:
    """Finds the `rasa_sdk.Action` classes of a package.

    Raises:
        ConfigurationError: The package cannot be imported.
    """
    executor = ActionExecutor()
    # rasa_sdk reports each class at INFO; this is noise in a program that serves.
    logging.getLogger("rasa_sdk.executor").setLevel(logging.WARNING)
    try:
        executor.register_package(package)
    except SystemExit as error:
        # rasa_sdk ends the process when an import fails; its cause was logged by then.
        raise ConfigurationError(
            package, "an action cannot be imported", "Mend the import error logged above."
        ) from error
    return executor


def _apology(action: str, error: BaseException) -> dict[str, Any]:
    evidence = {"action": action, "error": type(error).__name__}
    handoff = {"reason": HandoffReason.ACTION_FAILED.value, "evidence": evidence}
    return {
        "events": [],
        "responses": [{"response": APOLOGY_RESPONSE}, {"custom": {"handoff": handoff}}],
    }


class InProcessActions(EndpointConfig):
    """Rasa's action endpoint without a network: the action runs where the turn runs.

    Args:
        executor: Holds the actions.
    """

    def __init__(self, executor: ActionExecutor) -> None:
        super().__init__(url="in-process")
        self._executor = executor

    @property
    def action_names(self) -> set[str]:
        """The names of the actions that can be run."""
        return set(self._executor.actions)

    async def request(
        self,
        method: str = "post",
        subpath: str | None = None,
        content_type: str | None = "application/json",
        compress: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Runs the action that ``json["next_action"]`` names.

        Raises:
            ClientResponseError: With status 400 when the action refused to run, which Rasa
                understands as "ask the policies again".
        """
        call = kwargs["json"]
        action = str(call.get("next_action"))
        try:
            async with floor_left():
                result = await self._executor.run(call)
            return result or {"events": [], "responses": []}
        except ActionExecutionRejection as rejection:
            body = json.dumps({"action_name": action, "error": rejection.message})
            raise ClientResponseError(400, "rejected", body) from rejection
        except Exception as error:
            # The message may hold a customer's data: only its type and place are logged.
            logger.error("action %s failed: %s", action, type(error).__name__)
            return _apology(action, error)


class ActionServer(EndpointConfig):
    """A separate action server, of which a failure becomes an apology and a handoff."""

    async def request(
        self,
        method: str = "post",
        subpath: str | None = None,
        content_type: str | None = "application/json",
        compress: bool = False,
        **kwargs: Any,
    ) -> Any:
        """As Rasa's own, but for what happens when the server does not answer."""
        kwargs["timeout"] = float(self.kwargs.get("timeout", 10))
        action = str(kwargs["json"].get("next_action"))
        try:
            async with floor_left():
                return await super().request(method, subpath, content_type, compress, **kwargs)
        except ClientResponseError as error:
            if error.status == 400:
                raise
            logger.error("action server answered %s to %s", error.status, action)
            return _apology(action, error)
        except Exception as error:
            logger.error("action server failed on %s: %s", action, type(error).__name__)
            return _apology(action, error)
