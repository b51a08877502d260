"""Contracts and plumbing that more than one process uses; a leaf that imports no service."""
