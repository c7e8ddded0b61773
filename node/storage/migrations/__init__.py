"""The history of the tables, for Alembic: one step a file, forwards only.

A step says what it changes with names of its own time: it imports nothing from `tables`,
which moves on. To go back, restore the backup that was made before the step.
"""
