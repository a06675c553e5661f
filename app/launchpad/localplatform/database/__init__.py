"""The platform's database: SQLAlchemy on SQLite, schema by Alembic."""
