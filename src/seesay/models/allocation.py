"""Memory that torch frees on the processor stays with the process, so that it need not be handed out and zeroed again.

A network frees and takes the same tens of megabytes at every layer, and a training step all its gradients. glibc gives blocks
of that size back to the system at once, and the next one is new pages, each of which costs a fault: up to a third of a training
step and a quarter of a batch of answers, and more in a virtual machine that gives free memory back to its host. Larger
pages (`THP_MEM_ALLOC_ENABLE`, which torch reads) make the first touch cheaper. The price is memory: what was freed stays with the
process until it ends, and the most that it holds grows by what does not fit into the gaps (docs/performance.md).

It knows nothing of networks. It does something only under glibc, and not where the environment says how to allocate.
"""

from __future__ import annotations

import os
from functools import cache

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4
"""Numbers of `mallopt`'s parameters (malloc.h)."""
NEVER = -1
"""A threshold that no heap reaches (mallopt(3))."""
GROWN_BY = 64 * 2**20
OTHERS = ("MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD")


@cache
def keep_freed_memory() -> bool:
    """Have this process keep what it frees, from now on. To be called before torch is imported. Says whether it was done."""
    if any(name.startswith(OTHERS) for name in os.environ):
        return False
    try:
        glibc = os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, ValueError):
        return False  # Windows; another C library
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    import ctypes

    mallopt = ctypes.CDLL(None).mallopt
    taken = [mallopt(option, value) for option, value in ((MMAP_MAX, 0), (TRIM_THRESHOLD, NEVER), (TOP_PAD, GROWN_BY))]
    return bool(glibc) and all(taken)
