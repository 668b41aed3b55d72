"""The state: one SQLite file, and the only SQL of syncctl."""
