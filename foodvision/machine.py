"""What this machine lends to this process."""

import os


def cores():
    """How many processors it may use: the machine's, or fewer where it is bound to some, or JupyterHub says so."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(bound, int(float(os.environ.get("CPU_LIMIT") or bound))))
