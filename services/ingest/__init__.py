"""The ingest service: an API that accepts files, and a consumer that keeps the ledger."""
