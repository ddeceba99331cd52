"""Accounts: roles and passwords, logins and their tokens, API keys, signing keys, and who tries too often."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def moment(name: str, *, now: bool = False, nullable: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def belongs_to_user(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_user_id_users")
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    op.add_column("users", sa.Column("role", sa.String(length=16), server_default="learner", nullable=False))
    op.add_column("users", sa.Column("disabled", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_check_constraint(op.f("ck_users_role"), "users", "role IN ('learner', 'teacher', 'operator')")
    op.create_index("ix_users_newest", "users", [sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_table(
        "credentials",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        moment("changed_at", now=True),
        belongs_to_user("credentials"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_credentials")),
    )
    op.create_table(
        "identities",
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        moment("created_at", now=True),
        belongs_to_user("identities"),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_identities")),
    )
    op.create_index(op.f("ix_identities_user_id"), "identities", ["user_id"])
    create_logins()
    create_keys()
    op.create_table(
        "login_throttles",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Float(), nullable=False),
        moment("last_at"),
        moment("blocked_until"),
        moment("known_until", nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_login_throttles")),
    )
    op.create_index(op.f("ix_login_throttles_last_at"), "login_throttles", ["last_at"])


def create_logins() -> None:
    op.create_table(
        "logins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        moment("created_at", now=True),
        moment("expires_at"),
        moment("revoked_at", nullable=True),
        belongs_to_user("logins"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logins")),
    )
    op.create_index(op.f("ix_logins_user_id"), "logins", ["user_id"])
    op.create_index(op.f("ix_logins_expires_at"), "logins", ["expires_at"])
    op.create_table(
        "refresh_tokens",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("login_id", sa.Uuid(), nullable=False),
        moment("created_at", now=True),
        moment("used_at", nullable=True),
        sa.ForeignKeyConstraint(
            ["login_id"], ["logins.id"], name=op.f("fk_refresh_tokens_login_id_logins"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_refresh_tokens")),
    )
    op.create_index(op.f("ix_refresh_tokens_login_id"), "refresh_tokens", ["login_id"])


def create_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.String(length=16)), nullable=False),
        moment("created_at", now=True),
        moment("expires_at", nullable=True),
        moment("last_used_at", nullable=True),
        moment("revoked_at", nullable=True),
        belongs_to_user("api_keys"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
    )
    op.create_index(op.f("ix_api_keys_user_id"), "api_keys", ["user_id"])
    op.create_table(
        "token_signing_keys",
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        moment("created_at", now=True),
        moment("retired_at", nullable=True),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_token_signing_keys")),
    )


def downgrade() -> None:
    for table in (
        "login_throttles",
        "token_signing_keys",
        "api_keys",
        "refresh_tokens",
        "logins",
        "identities",
        "credentials",
    ):
        op.drop_table(table)
    op.drop_index("ix_users_newest", table_name="users")
    op.drop_constraint(op.f("ck_users_role"), "users")
    op.drop_column("users", "disabled")
    op.drop_column("users", "role")
