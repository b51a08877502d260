"""The query service only reads."""
