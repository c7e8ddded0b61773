"""The demonstration cases: fictional requests that whole nodes play on a clock of the story."""
