"""Settings: flags, then environment variables, then defaults."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.core.errors import ConfigurationError

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_SHORTEST_SECRET = 32
_SHORTEST_TOKEN = 16
_SECRETS = ("FRONTDESK_SECRET_KEY", "FRONTDESK_METRICS_TOKEN")


class Settings(BaseSettings):
    """What an operator sets, each as ``FRONTDESK_<NAME>`` or as a flag of ``frontdesk serve``.

    Attributes:
        database_url: Where conversations are kept; a file in `state_dir` by default.
        shop_url: The shop's database, as ``endpoints.yml`` names it; the demo's by default.
        host, port: Where the server listens.
        public_url: How customers and platforms reach it; signatures are checked against it.
        secret_key: Signs visitor tokens and desk sessions.
        state_dir: Local state of this installation.
        project_dir: Where ``config.yml``, ``domain.yml`` and ``data/`` are.
        credentials, endpoints: Rasa's files of channels and systems.
        workers: Processes that share the port; several need PostgreSQL.
        metrics_token: Who has it may read ``/metrics``; needed once the server is not local.
        model: A trained model to use as it is; without it the one that fits the files is used, and
            trained when there is none.
    """

    model_config = SettingsConfigDict(env_prefix="FRONTDESK_", extra="ignore")

    database_url: str = ""
    shop_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: str = ""
    secret_key: str = Field(default="", repr=False)
    state_dir: Path = Path(".frontdesk")
    project_dir: Path = Path()
    credentials: Path = Path("credentials.yml")
    endpoints: Path = Path("endpoints.yml")
    workers: int = Field(default=1, ge=1, le=64)
    metrics_token: str = Field(default="", repr=False)
    model: Path | None = None

    @field_validator("public_url")
    @classmethod
    def _is_web_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("is not a web address; write https://chat.your-shop.example")
        return value.rstrip("/")

    @field_validator("secret_key")
    @classmethod
    def _is_long_enough(cls, value: str) -> str:
        if value and len(value) < _SHORTEST_SECRET:
            raise ValueError(
                f"is shorter than {_SHORTEST_SECRET} characters; make one with: "
                "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
        return value

    @field_validator("metrics_token")
    @classmethod
    def _cannot_be_guessed(cls, value: str) -> str:
        if value and len(value) < _SHORTEST_TOKEN:
            raise ValueError(f"is shorter than {_SHORTEST_TOKEN} characters")
        return value

    @property
    def reachable_url(self) -> str:
        """The public URL, or the local address where none is set."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in _LOOPBACK and not self.public_url

    @property
    def is_demo_shop(self) -> bool:
        """Whether the shop's systems are the seeded demo database."""
        return self.shop_url == self._local_file("shop.db")

    def _local_file(self, name: str) -> str:
        return f"sqlite:///{self.state_dir / name}"

    def completed(self) -> Settings:
        """These settings with the defaults that depend on others."""
        return self.model_copy(
            update={
                # Both are named from the project's folder; an absolute path stays what it is.
                "credentials": self.project_dir / self.credentials,
                "endpoints": self.project_dir / self.endpoints,
                "database_url": self.database_url or self._local_file("frontdesk.db"),
                "shop_url": self.shop_url or self._local_file("shop.db"),
                "secret_key": self.secret_key or _local_secret(self),
            }
        )


def load(**flags: object) -> Settings:
    """Reads the settings; flags that are None do not count.

    Raises:
        ConfigurationError: A value is wrong; names its variable.
    """
    try:
        given = {name: value for name, value in flags.items() if value is not None}
        settings = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = f"FRONTDESK_{str(first['loc'][0]).upper()}"
        value = None if name in _SECRETS else first["input"]
        problem = str(first["msg"]).removeprefix("Value error, ")
        raise ConfigurationError(name, problem, "Set it in the environment.", value) from error
    settings = settings.completed()
    # credentials.yml may name it, also where a default stands for it.
    os.environ.setdefault("FRONTDESK_SECRET_KEY", settings.secret_key)
    return settings


def _local_secret(settings: Settings) -> str:
    """A secret of this installation's own, made once: good for a laptop, refused in public."""
    if not settings.is_local:
        raise ConfigurationError(
            "FRONTDESK_SECRET_KEY",
            "is missing, and the server can be reached from outside",
            "Set it to a random text, the same on every replica: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    path = settings.state_dir / "secret_key"
    if not path.exists():
        settings.state_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
    return path.read_text().strip()
