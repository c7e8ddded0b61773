"""The networks of the node's tests, for attacks that need whole nodes."""

from tests.node.conftest import light_pair, pair, postgres_network, sqlite_network

__all__ = ["light_pair", "pair", "postgres_network", "sqlite_network"]
