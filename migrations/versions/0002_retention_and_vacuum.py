"""An index of the jobs that have finished, for retention; vacuum that keeps up with a busy queue."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A prompt is updated twice and a job once a batch. By default a table is vacuumed when a fifth of it is dead:
# with a million finished rows, claims would step over two hundred thousand dead ones first.
VACUUM = {
    "autovacuum_vacuum_scale_factor": "0.01",
    "autovacuum_vacuum_threshold": "1000",
    "autovacuum_analyze_scale_factor": "0.05",
    "autovacuum_vacuum_cost_delay": "0",
}
# Room in each page for a job's next version: counting down its prompts changes no index then.
JOBS = {**VACUUM, "fillfactor": "80"}


def upgrade() -> None:
    op.create_index(
        "ix_batch_jobs_finished",
        "batch_jobs",
        ["completed_at"],
        unique=False,
        postgresql_where=sa.text("completed_at IS NOT NULL"),
    )
    for table, settings in (("job_prompts", VACUUM), ("batch_jobs", JOBS)):
        given = ", ".join(f"{name} = {value}" for name, value in settings.items())
        op.execute(f"ALTER TABLE {table} SET ({given})")


def downgrade() -> None:
    for table, settings in (("job_prompts", VACUUM), ("batch_jobs", JOBS)):
        op.execute(f"ALTER TABLE {table} RESET ({', '.join(settings)})")
    op.drop_index(
        "ix_batch_jobs_finished",
        table_name="batch_jobs",
        postgresql_where=sa.text("completed_at IS NOT NULL"),
    )
