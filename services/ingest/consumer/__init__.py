"""The consumer is the only writer of the database."""
