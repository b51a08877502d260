"""The benchmark: adledger beside textbook solutions of the same task, on the same machine in the same run."""
