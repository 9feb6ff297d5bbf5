"""A batch on Ray Data: the same rows as on one machine, written by the same writer, computed by a pool of actors.

Workers read the pictures themselves, so their paths must mean the same on every machine (a shared file system). The process that
starts the job is the only one that writes: what it has written is there once whatever happens to workers and machines, and
what it is stopped at goes on with the same command. Ray computes blocks of a lost worker again; a row that comes twice is
written once.

It knows nothing about models.
"""

from __future__ import annotations

import itertools
import logging
import pickle
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from .. import api
from ..batch import Done, Group, Job, Row, Summary, computed, run
from ..errors import MissingExtra, ResourceError
from ..settings import BatchSettings
from .cluster import cluster

GROUPS_TOGETHER = 4
"""Groups that an actor takes at once: enough to decode ahead of computing."""
GROUPS_PLANNED = 50_000
"""Groups of the input that are handed to Ray at once; their pool of actors is made anew for the next."""
SHARE = 0.5
"""Of a processor that an actor asks for. Two a processor, so that one decodes where the other waits; and where a machine is
lost, its actors find room on those that are left (with whole processors and a pool of fixed size the job hung)."""


def batch(
    settings: BatchSettings,
    source: str,
    questions: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Summary:
    """As `api.batch`, on a Ray cluster: that of `ray_address`, or one started on this machine for this job.

    Raises:
        MissingExtra: Ray is not installed.
        ResourceError: no cluster at that address, or it failed for good.
        others: as `api.batch`.
    """
    if find_spec("ray") is None:
        raise MissingExtra("--engine ray", "seesay[ray]")
    job = api.batch_job(settings)

    def produce(groups: Iterator[Group], there: Collection[bytes], left: int) -> Generator[Done, None, None]:
        if not settings.ray_address:  # on this machine alone: once, before its workers come
            api.make_batch_export(settings, left, tell)
            left = 0
        with cluster(settings.ray_address):
            yield from _computed(settings, job, groups, there, left)

    return run(
        job,
        source,
        api.batch_questions(settings, questions),
        settings.output,
        produce,
        size=api.batch_size(settings),
        retry_failed=settings.retry_failed,
        progress=progress,
    )


def _computed(
    settings: BatchSettings, job: Job, groups: Iterator[Group], there: Collection[bytes], left: int
) -> Iterator[Done]:
    import ray
    import ray.data
    from ray.data import ActorPoolStrategy
    from ray.exceptions import RayError

    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)

    # A copy: workers skip what was there at the start, and the writer what has come since.
    known = ray.put(frozenset(there)) if there else None
    try:
        while planned := list(itertools.islice(groups, GROUPS_PLANNED)):
            most = max(1, min(settings.workers or _most(), len(planned) // GROUPS_TOGETHER))
            rows = ray.data.from_items([{"group": pickle.dumps(group)} for group in planned]).map_batches(
                _Worker,
                fn_constructor_args=(settings, job, known, left),
                batch_size=GROUPS_TOGETHER,
                batch_format="numpy",
                num_cpus=SHARE,
                compute=ActorPoolStrategy(min_size=1, max_size=most),
            )
            for block in rows.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=1):
                found = [Row(bytes(key), bytes(line), str(error)) for key, line, error in _zipped(block)]
                yield Done([row for row in found if row.key], int(block["there"].sum()))
    except RayError as error:
        hint = "what is written stays; give the same command again when the cluster is well"
        raise ResourceError(f"Ray gave up: {str(error).splitlines()[0]}", hint=hint) from None


def _zipped(block: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    return zip(*(block[name] for name in ("key", "line", "error")), strict=True)


class _Worker:
    """One actor: a loaded model, and groups to rows. Groups come pickled, because a table has no column for them."""

    def __init__(self, settings: BatchSettings, job: Job, known: Any, left: int) -> None:
        import ray

        self._size, self._job = api.batch_size(settings), job
        self._there: frozenset[bytes] = ray.get(known) if isinstance(known, ray.ObjectRef) else known or frozenset()
        # On a machine with several workers one of them makes it, and the others wait.
        api.make_batch_export(settings, left, lambda text: None)
        self._computes = api.batch_computes(settings, 1)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        import numpy

        groups = (pickle.loads(group) for group in batch["group"])
        table: dict[str, list[Any]] = {"key": [], "line": [], "error": [], "there": []}
        for done in computed(groups, self._job, self._computes, self._there, size=self._size):
            # What was skipped is told in a row without a key.
            for row, skipped in [*((row, 0) for row in done.rows), *([(_NOTHING, done.there)] if done.there else ())]:
                for name, value in zip(table, (*row, skipped), strict=True):
                    table[name].append(value)
        kinds = {"there": int, "error": str}
        return {name: numpy.array(values, kinds.get(name, object)) for name, values in table.items()}


_NOTHING = Row(b"", b"", "")


def _most() -> int:
    """As many actors as the cluster has processors for."""
    import ray

    resources: dict[str, float] = ray.cluster_resources()
    return int(resources.get("CPU", 1) / SHARE)
