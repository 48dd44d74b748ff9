"""Every expected failure of Frontdesk, in one tree.

FrontdeskError
├── ConfigurationError       a setting, file or credential is missing or wrong
├── StoreUnavailableError    the database cannot be reached or written
├── WebhookError             a webhook request is refused
│   ├── SignatureError       its signature is missing or wrong       (403)
│   └── PayloadError         its body cannot be understood            (400)
├── DeliveryError            a message could not be sent; `permanent` decides about a retry
├── ConversationError        an operation on a conversation is refused
│   ├── IllegalTransitionError   the state machine does not allow it  (409)
│   ├── TakenError               another agent owns the conversation  (409)
│   ├── NotReplayableError       what failed is not to be tried again  (409)
│   └── NotVisibleError          it does not exist, or not for this agent (404)
├── ShopError                the CRM or POS could not answer
│   ├── ShopUnavailableError     it is down or too slow
│   └── RefusedError             it answered no, with a reason for the customer
└── ModelError               the model is missing, broken or of another version
"""

from __future__ import annotations


class FrontdeskError(Exception):
    """Base of all errors that Frontdesk raises on purpose."""


class ConfigurationError(FrontdeskError):
    """A setting is missing or wrong.

    Args:
        key: The setting as its reader writes it: ``FRONTDESK_PORT``, ``twilio.auth_token``.
        value: What was found; None where nothing was found or it is a secret.
        problem: What is wrong with it.
        next_step: What the reader should do.
    """

    def __init__(self, key: str, problem: str, next_step: str, value: object = None) -> None:
        self.key, self.value, self.problem, self.next_step = key, value, problem, next_step
        shown = "" if value is None else f" (found: {value!r})"
        super().__init__(f"{key}: {problem}{shown}. {next_step}")


class StoreUnavailableError(FrontdeskError):
    """The database cannot be reached or written."""


class WebhookError(FrontdeskError):
    """A webhook request is refused; nothing of it was stored."""


class SignatureError(WebhookError):
    """The request does not prove that the platform sent it."""


class PayloadError(WebhookError):
    """The request's body cannot be understood. The text names the field, never its content."""


class DeliveryError(FrontdeskError):
    """A message could not be handed to the platform.

    Args:
        reason: What went wrong, without message text or personal data.
        permanent: True when another attempt cannot succeed.
        retry_after: Seconds the platform asked to wait; None where it did not say.
        code: The platform's own error code.
        whole_account: True when the platform limits the account that sends and not this message:
            its other messages wait too, and none loses an attempt.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool,
        retry_after: float | None = None,
        code: str | None = None,
        whole_account: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason, self.permanent = reason, permanent
        self.retry_after, self.code = retry_after, code
        self.whole_account = whole_account


class ConversationError(FrontdeskError):
    """An operation on a conversation is refused."""


class IllegalTransitionError(ConversationError):
    """The conversation's state does not allow the event."""


class TakenError(ConversationError):
    """Another agent owns the conversation."""


class NotReplayableError(ConversationError):
    """The message was replayed already, or a human has dealt with its conversation since."""


class NotVisibleError(ConversationError):
    """No such conversation, or none that this agent may see: both look the same."""


class ShopError(FrontdeskError):
    """The CRM or POS could not answer."""


class ShopUnavailableError(ShopError):
    """The system is down or too slow."""


class RefusedError(ShopError):
    """The system answered no.

    Args:
        code: A short machine-readable reason, e.g. ``already_shipped``, ``return_window_over``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ModelError(FrontdeskError):
    """The model is missing, broken or of another version."""
