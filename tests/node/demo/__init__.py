"""Tests of the demonstration cases: their clock, their voices, and that they can fail."""
