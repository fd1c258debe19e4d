"""Let what an account says besides statuses wait by itself: its own failures, and the pause that they cause."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("document_lane", sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("document_lane", sa.Column("paused_until", sa.BigInteger(), nullable=True))
