"""Who may do what here: people, their roles and keys, and the one place that enforces it."""
