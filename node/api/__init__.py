"""The API on the staff listener: HTTP in, one verb of the desk, JSON out. It decides nothing."""
