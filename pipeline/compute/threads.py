"""Chunks on the threads of this process: the kernels release the interpreter lock, so that two are worth having."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

WORKERS = 2


def in_order(work: Callable[[T], R], items: Iterable[T], *, workers: int = WORKERS) -> Iterator[R]:
    """Yield ``work(item)`` in the order of the items; at most ``workers`` are ahead of what was taken.

    An exception of ``items`` or ``work`` is raised where its result would have come; what was begun is waited for.
    """
    ahead: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for item in items:
            ahead.append(pool.submit(work, item))
            if len(ahead) > workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
