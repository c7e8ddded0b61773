"""Tests of `node.storage`; most run on SQLite and on PostgreSQL."""
