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
import os
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from .. import api
from ..batch import Done, Group, Job, Row, Summary, computed, run
from ..errors import MissingExtra, ResourceError
from ..settings import BatchSettings

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

    def produce(groups: Iterator[Group], there: Collection[bytes]) -> Iterator[Done]:
        with _cluster(settings.ray_address):
            yield from _computed(settings, job, groups, there)

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


def _computed(settings: BatchSettings, job: Job, groups: Iterator[Group], there: Collection[bytes]) -> Iterator[Done]:
    import ray
    from ray.exceptions import RayError

    # A copy: workers skip what was there at the start, and the writer what has come since.
    known = ray.put(frozenset(there))
    try:
        while planned := list(itertools.islice(groups, GROUPS_PLANNED)):
            rows = ray.data.from_items([{"group": group} for group in planned]).map_batches(
                _Worker,
                fn_constructor_args=(settings, job, known),
                batch_size=GROUPS_TOGETHER,
                batch_format="numpy",
                num_cpus=SHARE,
                concurrency=(1, max(1, min(settings.workers or _most(), len(planned) // GROUPS_TOGETHER + 1))),
            )
            for block in rows.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=1):
                for keys, lines, errors, skipped in zip(*(block[name] for name in _COLUMNS), strict=True):
                    yield Done([Row(*row) for row in zip(keys, lines, errors, strict=True)], int(skipped))
    except RayError as error:
        hint = "what is written stays; give the same command again when the cluster is well"
        raise ResourceError(f"Ray gave up: {str(error).splitlines()[0]}", hint=hint) from None


_COLUMNS = ("keys", "lines", "errors", "there")


class _Worker:
    """One actor: a loaded model, its rows out of groups."""

    def __init__(self, settings: BatchSettings, job: Job, known: Any) -> None:
        import ray

        self._size, self._job = api.batch_size(settings), job
        self._there: frozenset[bytes] = ray.get(known) if isinstance(known, ray.ObjectRef) else known
        self._computes = api.batch_computes(settings, 1)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        groups = iter(batch["group"])
        found = list(computed(groups, self._job, self._computes, self._there, size=self._size))
        return {
            "keys": [[row.key for row in done.rows] for done in found],
            "lines": [[row.line for row in done.rows] for done in found],
            "errors": [[row.error for row in done.rows] for done in found],
            "there": [done.there for done in found],
        }


def _most() -> int:
    """As many actors as the cluster has processors for."""
    import ray

    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return int(resources.get("CPU", 1) / SHARE)


@contextmanager
def _cluster(address: str) -> Iterator[None]:
    """Connected to a cluster, quietly; one that was started here is stopped again."""
    import ray

    started = not ray.is_initialized()
    with warnings.catch_warnings():
        # Ray's own use of what Python and pandas will drop.
        warnings.simplefilter("ignore")
        if started:
            os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
            try:
                ray.init(address or None, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
            except (ConnectionError, RuntimeError, ValueError):
                hint = "start one with `ray start --head`, or leave out --ray-address"
                raise ResourceError("no Ray cluster there", where=address or "this machine", hint=hint) from None
        try:
            context = ray.data.DataContext.get_current()
            context.enable_progress_bars = False
            yield
        finally:
            if started:
                ray.shutdown()
