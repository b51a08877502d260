"""The ingest API knows files and the broker, never the database."""
