"""The audit log, whose rows nobody changes, and what each user has used of a day's tokens."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A program that was taken over has this database's login too, and could drop the trigger first. It stops what
# is more usual: a mistake, and an injected statement.
KEEP = """
CREATE FUNCTION keep_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what stands in audit_log stays as it is, and a day at least';
END
$$
"""
TRIGGERS = (
    "CREATE TRIGGER unchanged BEFORE UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION keep_audit_log()",
    "CREATE TRIGGER kept BEFORE DELETE ON audit_log FOR EACH ROW "
    "WHEN (OLD.at > now() - interval '1 day') EXECUTE FUNCTION keep_audit_log()",
    "CREATE TRIGGER not_emptied BEFORE TRUNCATE ON audit_log EXECUTE FUNCTION keep_audit_log()",
)


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.Uuid(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("target", sa.String(length=200), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("request_id", sa.String(length=128), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.CheckConstraint("outcome IN ('success', 'failure', 'denied')", name=op.f("ck_audit_log_outcome")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index("ix_audit_log_newest", "audit_log", [sa.text("at DESC"), sa.text("id DESC")])
    op.execute(KEEP)
    for trigger in TRIGGERS:
        op.execute(trigger)
    op.create_table(
        "token_usage",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_token_usage_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "day", name=op.f("pk_token_usage")),
    )


def downgrade() -> None:
    op.drop_table("token_usage")
    op.drop_table("audit_log")
    op.execute("DROP FUNCTION keep_audit_log()")
