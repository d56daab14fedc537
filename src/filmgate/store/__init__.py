"""Rows on disk: SQLite by default, PostgreSQL with another URL."""
