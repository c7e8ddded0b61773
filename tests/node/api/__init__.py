"""Tests of the API: its answers, its limits, its description, and what it tells others."""
