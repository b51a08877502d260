"""The faults: each acts on a stage while its clients are at work, and returns once the cause is gone."""
