"""Evidence: what files a case offers or received, and whether they are still the same."""
