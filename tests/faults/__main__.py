"""`python -m tests.faults [--seed N] [--full] [--seconds N] [--only WORDS]`: cause faults, print the table, judge."""

import argparse
import logging
import secrets
import sys
from dataclasses import replace

from tests.faults.broker import program
from tests.faults.plans import full, suite
from tests.faults.scenario import Scenario
from tests.faults.suite import Limits, run, table

LIMITS = Limits(seconds=9 * 60.0)
FULL_LIMITS = Limits(seconds=2 * 3600.0, patience=3.0)


def main() -> int:
    """Run the suite and return the exit status."""
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)
    arguments = _arguments()
    if program() is None:
        _say("The fault suite starts a RabbitMQ of its own: install rabbitmq-server.")
        return 1
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(10**6)
    _say(f"SEED={seed}")
    plan = full() if arguments.full else suite()
    scenarios = [each for each in plan if _wanted(each, arguments.only)]
    limits = FULL_LIMITS if arguments.full else LIMITS
    rows = run(scenarios, seed, replace(limits, seconds=arguments.seconds or limits.seconds), _say)
    _say(f"\n{table(rows)}\n")
    missed = [f"{row.scenario.fault}, {row.scenario.moment}" for row in rows if not row.runs]
    if missed:
        _say(f"There was no time for: {'; '.join(missed)}")
    return 1 if missed or any(row.violations for row in rows) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seconds", type=float, help="begin nothing after so many")
    parser.add_argument("--only", default="")
    return parser.parse_args()


def _wanted(scenario: Scenario, words: str) -> bool:
    return words in f"{scenario.fault}, {scenario.moment}"


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


sys.exit(main())
