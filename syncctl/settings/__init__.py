"""The settings: found, read, checked, and written for a new shop."""
