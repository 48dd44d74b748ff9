"""messages that failed for good, and what became of them"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("error_code", sa.String(length=64), nullable=True))
    op.add_column("message", sa.Column("dead_since", sa.BigInteger(), nullable=True))
    op.add_column("message", sa.Column("replay_of", sa.String(length=36), nullable=True))
    op.add_column("message", sa.Column("replayed_at", sa.BigInteger(), nullable=True))
    op.add_column("message", sa.Column("replayed_by", sa.String(length=36), nullable=True))
    op.create_index(
        "ix_message_dead_letters",
        "message",
        ["dead_since"],
        sqlite_where=sa.text("dead_since IS NOT NULL"),
        postgresql_where=sa.text("dead_since IS NOT NULL"),
    )
    op.execute("UPDATE message SET dead_since = updated_at WHERE status = 'failed'")


def downgrade() -> None:
    op.drop_index("ix_message_dead_letters", table_name="message")
    for column in ("replayed_by", "replayed_at", "replay_of", "dead_since", "error_code"):
        op.drop_column("message", column)
