from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from pipeline.compute import in_order

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    gates = [threading.Event() for _ in range(20)]

    def work(item: int) -> int:
        if workers > 1 and item % 2 == 0 and item < 19:
            assert gates[item + 1].wait(5)  # the next one is done first
        gates[item].set()
        return item * item

    assert list(in_order(work, range(20), workers=workers)) == [item * item for item in range(20)]


def test_no_more_items_are_taken_than_are_under_way() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(10):
            taken.append(item)
            yield item

    results = in_order(lambda item: item, items(), workers=2)
    assert next(results) == 0
    assert taken == [0, 1, 2]
    assert next(results) == 1
    assert taken == [0, 1, 2, 3]


def test_a_failure_comes_where_its_result_would_have() -> None:
    def work(item: int) -> float:
        return 1 / (item - 2)

    results = in_order(work, range(5))
    assert [next(results), next(results)] == [-0.5, -1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_a_failure_of_the_items_is_raised() -> None:
    def items() -> Iterator[int]:
        yield 1
        msg = "no more"
        raise OSError(msg)

    with pytest.raises(OSError, match="no more"):
        list(in_order(lambda item: item, items()))
