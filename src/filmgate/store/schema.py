"""The tables, in one place. Money is whole micro-dollars, times are unix seconds."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

# JSON travels as text that msgspec writes and reads: one format on both databases.
customers = sa.Table(
    "customers",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False, unique=True),
    # What the customer may still spend: the running sum of its wallet's postings, kept here so
    # that one guarded UPDATE can refuse an overdraft.
    sa.Column(
        "balance",
        sa.BigInteger,
        sa.CheckConstraint("balance >= 0", name="balance_not_negative"),
        nullable=False,
    ),
    sa.Column("created_at", sa.Double, nullable=False),
)

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("customer_id", sa.ForeignKey("customers.id"), nullable=False, index=True),
    sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("hint", sa.String(20), nullable=False),
    sa.Column("models", sa.Text, nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
)

tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("customer_id", sa.ForeignKey("customers.id"), nullable=False),
    sa.Column("key_id", sa.ForeignKey("keys.id"), nullable=False),
    sa.Column("dialect", sa.String(20), nullable=False),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("quote", sa.Text, nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("progress", sa.Integer, nullable=False),
    sa.Column("failure", sa.Text),
    sa.Column("asset", sa.Text),
    sa.Column("moderated", sa.Boolean, nullable=False),
    sa.Column("charged", sa.BigInteger, nullable=False),
    sa.Column("cost", sa.BigInteger),
    sa.Column("channel", sa.String(100), nullable=False),
    sa.Column("upstream_id", sa.String(500), nullable=False),
    sa.Column("part", sa.Integer, nullable=False),
    sa.Column("answer", sa.Text),
    sa.Column("cancel_requested", sa.Boolean, nullable=False),
    sa.Column("flagged", sa.Text, nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("submitted_at", sa.Double),
    sa.Column("finished_at", sa.Double),
    sa.Index("tasks_by_customer", "customer_id", "created_at"),
    # The engine asks for these once a second; ended tasks must not slow that down.
    sa.Index(
        "tasks_to_cancel",
        "cancel_requested",
        sqlite_where=sa.text("cancel_requested AND finished_at IS NULL"),
        postgresql_where=sa.text("cancel_requested AND finished_at IS NULL"),
    ),
)

# Every try to hand a task to a channel; the first thing an operator asks for.
attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("task_id", sa.ForeignKey("tasks.id"), nullable=False, index=True),
    sa.Column("channel", sa.String(100), nullable=False),
    sa.Column("outcome", sa.String(20), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
)

channels = sa.Table(
    "channels",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False, unique=True),
    # The whole row as JSON but for what is secret, so that a new setting needs no migration.
    sa.Column("row", sa.Text, nullable=False),
    # Credentials and headers, AES-256-GCM under the home's secret with the row's id beside it.
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("trouble", sa.Text, nullable=False),
    sa.Column("changed_at", sa.Double, nullable=False),
)

models = sa.Table(
    "models",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("row", sa.Text, nullable=False),
)

ledger_entries = sa.Table(
    "ledger_entries",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    # The guard against counting anything twice.
    sa.Column("reference", sa.String(200), nullable=False, unique=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("task_id", sa.String(32), nullable=False, index=True),
    sa.Column("created_at", sa.Double, nullable=False),
)

ledger_postings = sa.Table(
    "ledger_postings",
    metadata,
    sa.Column("entry_id", sa.ForeignKey("ledger_entries.id"), primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True),
    sa.Column("account", sa.String(100), nullable=False, index=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
)
