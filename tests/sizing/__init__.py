"""What each process can do, and what it takes to do it: the numbers in docs/operations.md, measured here."""
