"""The platform as a server: API, identity, object store, database, scheduling, applications. A process of its own."""
