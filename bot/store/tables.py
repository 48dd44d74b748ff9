"""The tables: one `message` table is inbox, outbox and transcript."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    literal_column,
    text,
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC time, kept as microseconds since 1970: exact and alike on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return None if value is None else round(value.timestamp() * 1_000_000)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromtimestamp(value / 1_000_000, UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

conversation = Table(
    "conversation",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("account", String(128), nullable=False),
    Column("sender", String(256), nullable=False),
    Column("profile_name", String(256), nullable=False, server_default=""),
    Column("state", String(16), nullable=False),
    Column("owner_epoch", Integer, nullable=False),
    Column("assignee", String(36)),
    Column("identity", Integer, nullable=False, server_default="0"),
    Column("customer_id", String(64)),
    Column("last_seq", Integer, nullable=False, server_default="0"),
    Column("last_event", Integer, nullable=False, server_default="0"),
    Column("waiting_since", Instant),
    Column("last_customer_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("channel", "account", "sender"),
    Index("ix_conversation_state_updated_at", "state", "updated_at"),
    # The desk's lists: all, and an agent's own.
    Index("ix_conversation_updated_at", "updated_at"),
    Index(
        "ix_conversation_assigned",
        "assignee",
        sqlite_where=text("assignee IS NOT NULL"),
        postgresql_where=text("assignee IS NOT NULL"),
    ),
)

message = Table(
    "message",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("author", String(16), nullable=False),
    Column("author_id", String(36)),
    Column("status", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("content", JSON, nullable=False),
    # Inbound: the platform's id, which makes a redelivered webhook one row.
    Column("inbound_key", String(512), unique=True),
    Column("button", String(64)),
    Column("understood", JSON),
    # Outbound: what the platform called it, and how often it was tried.
    Column("provider_key", String(512), index=True),
    Column("owner_epoch", Integer, nullable=False, server_default="0"),
    Column("turn_id", String(36)),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Float),
    Column("resent", Boolean, nullable=False, server_default=text("false")),
    Column("error", String(256)),
    Column("error_code", String(64)),
    # Failed for good, in or out, and not replayed since: see bot.store.dead_letters.
    Column("dead_since", Instant),
    Column("replay_of", String(36)),
    Column("replayed_at", Instant),
    Column("replayed_by", String(36)),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("conversation_id", "seq"),
    Index(
        "ix_message_inbox",
        "conversation_id",
        "seq",
        sqlite_where=text("status = 'received'"),
        postgresql_where=text("status = 'received'"),
    ),
    Index(
        "ix_message_outbox",
        "conversation_id",
        "seq",
        sqlite_where=text("status IN ('pending', 'sending')"),
        postgresql_where=text("status IN ('pending', 'sending')"),
    ),
    Index(
        "ix_message_dead_letters",
        "dead_since",
        sqlite_where=text("dead_since IS NOT NULL"),
        postgresql_where=text("dead_since IS NOT NULL"),
    ),
)

# The conditions of the indexes above, as queries must write them: a database does not know of a
# parameter that an index holds all that it may ask for.
is_unprocessed = message.c.status == literal_column("'received'")
is_unsent = message.c.status.in_([literal_column("'pending'"), literal_column("'sending'")])

# What a platform said of a message before our own "sent" was committed.
early_receipt = Table(
    "early_receipt",
    metadata,
    Column("provider_key", String(512), primary_key=True),
    Column("status", String(16), primary_key=True),
    Column("error", String(256)),
    Column("created_at", Instant, nullable=False),
)

button = Table(
    "button",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False, index=True),
    Column("message_id", String(36), nullable=False),
    Column("position", Integer, nullable=False),
    Column("title", String(256), nullable=False),
    Column("payload", Text, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("conversation_id", ForeignKey("conversation.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("type", String(64), nullable=False),
    Column("data", JSON, nullable=False),
)

# What a conversation's events up to a number came to, as a few events: see bot.store.events.
snapshot = Table(
    "snapshot",
    metadata,
    Column("conversation_id", ForeignKey("conversation.id"), primary_key=True),
    Column("upto", Integer, nullable=False),
    Column("events", JSON, nullable=False),
)

episode = Table(
    "episode",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False, index=True),
    Column("reason", String(32), nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("brief", Text, nullable=False, server_default=""),
    Column("agent_id", String(36)),
    Column("outcome", String(32)),
    Column("requested_at", Instant, nullable=False),
    Column("taken_at", Instant),
    Column("first_reply_at", Instant),
    Column("ended_at", Instant),
)

# What is to happen in a conversation at a time: see bot.store.timers.
timer = Table(
    "timer",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("name", String(256), nullable=False),
    Column("due_at", Instant, nullable=False, index=True),
    Column("data", JSON, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("conversation_id", "kind", "name"),
)

agent = Table(
    "agent",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("email", String(256), nullable=False, unique=True),
    Column("name", String(128), nullable=False),
    Column("password_hash", String(256), nullable=False),
    Column("role", String(16), nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("failed_logins", Integer, nullable=False, server_default="0"),
    Column("locked_until", Instant),
    Column("created_at", Instant, nullable=False),
)

api_token = Table(
    "api_token",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("agent_id", ForeignKey("agent.id"), nullable=False),
    Column("label", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
)

# Trained models: see bot.store.models.
model = Table(
    "model",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("file", String(256), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("made_of", String(64), nullable=False, server_default=""),
    Column("note", String(256), nullable=False, server_default=""),
    Column("trained_at", Instant),
    Column("registered_at", Instant, nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("false")),
    Column("activated_at", Instant),
    Column("chosen_for", String(64), nullable=False, server_default=""),
    Column("previous", Integer),
    Column("failure", String(512), nullable=False, server_default=""),
    Column("failed_at", Instant),
    Index(
        "ix_model_active",
        "active",
        unique=True,
        sqlite_where=text("active"),
        postgresql_where=text("active"),
    ),
)

model_part = Table(
    "model_part",
    metadata,
    Column("version", ForeignKey("model.version"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

# Which model each running process has loaded; no version where FRONTDESK_MODEL names the file.
replica = Table(
    "replica",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("version", Integer),
    Column("file", String(256), nullable=False),
    Column("seen_at", Instant, nullable=False),
)
