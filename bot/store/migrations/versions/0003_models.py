"""trained models, their archives, and who runs which"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "model",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("file", sa.String(length=256), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("made_of", sa.String(length=64), server_default="", nullable=False),
        sa.Column("note", sa.String(length=256), server_default="", nullable=False),
        sa.Column("trained_at", sa.BigInteger(), nullable=True),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("activated_at", sa.BigInteger(), nullable=True),
        sa.Column("chosen_for", sa.String(length=64), server_default="", nullable=False),
        sa.Column("previous", sa.Integer(), nullable=True),
        sa.Column("failure", sa.String(length=512), server_default="", nullable=False),
        sa.Column("failed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_model")),
        sa.UniqueConstraint("sha256", name=op.f("uq_model_sha256")),
    )
    op.create_index(
        "ix_model_active",
        "model",
        ["active"],
        unique=True,
        sqlite_where=sa.text("active"),
        postgresql_where=sa.text("active"),
    )
    op.create_table(
        "model_part",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["version"], ["model.version"], name=op.f("fk_model_part_version")),
        sa.PrimaryKeyConstraint("version", "number", name=op.f("pk_model_part")),
    )
    op.create_table(
        "replica",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("file", sa.String(length=256), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_replica")),
    )


def downgrade() -> None:
    op.drop_table("replica")
    op.drop_table("model_part")
    op.drop_table("model")
