"""The tables of what was shown and what became of it. Portable between SQLite and PostgreSQL."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

REVISION = "0001"  # of the newest migration

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_Key = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up plain integers alone

calls = Table(
    "calls",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("source", String(128), nullable=False),  # the journal it came from
    Column("offset", BigInteger, nullable=False),  # and where in it
    Column("at", DateTime(timezone=True), nullable=False),
    Column("client", String(64), nullable=False),
    Column("hook", String(64), nullable=False),
    Column("instance", String(64), nullable=False),
    Column("patient", String(32), nullable=False),
    Column("user_hash", String(32), nullable=False),
    Column("encounter", String(32), nullable=False),
    Column("knowledge", String(64), nullable=False),
    Column("policy", String(200), nullable=False),
    Column("service", String(32), nullable=False),
    Column("prefetch", Text, nullable=False),
    Column("took_ms", Float, nullable=False),
    Index("ix_calls_source_offset", "source", "offset", unique=True),
    Index("ix_calls_at", "at"),
)
cards = Table(
    "cards",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("call_id", _Key, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("uuid", String(36), nullable=False),
    Column("order_hash", String(32), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("judged", String(16), nullable=False),
    Column("indicator", String(16), nullable=False),
    Column("suggestions", Text, nullable=False),
    Index("ix_cards_uuid", "uuid"),
    Index("ix_cards_call_id", "call_id"),
)
findings = Table(
    "findings",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("card_id", _Key, ForeignKey("cards.id", ondelete="CASCADE"), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("result", String(16), nullable=False),
    Column("shown", String(16), nullable=False),
    Index("ix_findings_card_id", "card_id"),
    Index("ix_findings_rule", "rule"),
)
feedback = Table(
    "feedback",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("client", String(64), nullable=False),
    Column("card", String(64), nullable=False),
    Column("suggestion", String(64), nullable=False),  # '' for none
    Column("outcome", String(16), nullable=False),
    Column("outcome_at", DateTime(timezone=True), nullable=False),
    Column("reason_system", String(256), nullable=False),
    Column("reason_code", String(128), nullable=False),
    Column("comment", Text, nullable=False),  # '' unless free text is kept
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("known", Boolean, nullable=False),  # whether the card was in the store by then
    Index("ix_feedback_once", "client", "card", "suggestion", "outcome_at", unique=True),
    Index("ix_feedback_card", "card"),
)
drained = Table(
    "drained",
    metadata,
    Column("source", String(128), primary_key=True),
    Column("offset", BigInteger, nullable=False),
    Column("torn", Integer, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
