"""Casework: the verbs that people use, and the only writer of cases besides delivery."""
