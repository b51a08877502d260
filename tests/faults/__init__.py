"""Faults: real processes are killed, stopped and cut off under load, and afterwards every number must be right."""
