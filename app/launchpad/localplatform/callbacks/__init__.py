"""Callbacks: an outbox in the database, written with each transition, and what sends it."""
