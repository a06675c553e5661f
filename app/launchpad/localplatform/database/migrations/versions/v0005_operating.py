"""Indexes for lists and filters over many runs."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes; those that they take the place of go."""
    op.create_index("item_states", "item", ["run_id", "state", "termination_reason"])
    op.create_index("item_external", "item", ["external_id", "run_id"])
