"""Reliability tests: hostile files, messages and model files, crowds and faults.

Each module makes its own inputs and has a `run` that yields a `Row` for each kind.
"""

from dataclasses import dataclass


@dataclass
class Row:
    """The result for one kind of input: how many were `tried`, and how many got a `wrong` answer or none.

    `seconds` is the longest time for one input, `megabytes` the most that memory grew.
    """

    kind: str
    tried: int
    wrong: int
    seconds: float
    megabytes: float
    note: str = ""
