"""What is thrown at FoodVision to see whether it holds: files, messages, model files, crowds.

Each module makes its own inputs and has `run`, which yields a `Row` for each kind of them.
"""

from dataclasses import dataclass


@dataclass
class Row:
    """What came of one kind of input: how many were `tried`, how many got a `wrong` answer or none.

    `seconds` is the longest time that one took, `megabytes` by how much memory grew at most.
    """

    kind: str
    tried: int
    wrong: int
    seconds: float
    megabytes: float
    note: str = ""
