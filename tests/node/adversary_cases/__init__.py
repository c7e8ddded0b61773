"""Attacks on casework: by peers, by our own people, by what is typed, by crashes and races."""
