"""Heat maps: which places in a photo speak for an answer."""

import numpy as np


def heat_of(classes: list[int], probabilities: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Array (rows, columns) of 0 to 1: where the classes of an answer are seen rather than the others.

    Takes probabilities (classes) and class-activation maps (classes, rows, columns) of one photo. Each class's map
    counts as much as its logit moves the logarithm of the answer's probability, so classes that compete with the
    answer take heat away.
    """
    own = np.zeros_like(probabilities)
    own[classes] = probabilities[classes] / max(probabilities[classes].sum(), np.finfo(np.float32).tiny)
    heat = np.einsum("c,chw->hw", own - probabilities, maps).clip(min=0)
    return heat / max(heat.max(), np.finfo(np.float32).tiny)
