"""the desk's lists of conversations by an index, also where there are a million"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_conversation_updated_at"), "conversation", ["updated_at"])
    given = sa.text("assignee IS NOT NULL")
    op.create_index(
        "ix_conversation_assigned",
        "conversation",
        ["assignee"],
        sqlite_where=given,
        postgresql_where=given,
    )


def downgrade() -> None:
    op.drop_index("ix_conversation_assigned", "conversation")
    op.drop_index(op.f("ix_conversation_updated_at"), "conversation")
