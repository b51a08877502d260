"""How processes log: one line an event on standard error, in plain words."""

import logging

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def configure_logging(level: str = "INFO") -> None:
    """Log to standard error from `level` up; libraries only from warnings up."""
    logging.basicConfig(level=logging.WARNING, format=FORMAT)
    for ours in ("services", "shared"):
        logging.getLogger(ours).setLevel(level)
