"""The queue in the database, and the workers that take from it."""
