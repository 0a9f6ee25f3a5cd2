from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import reconciliations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.model import MessageLine, Reconciliation


@pytest.fixture
def quiet() -> Reconciliation:
    return reconciliations.quiet_batch()


@pytest.fixture
def noisy() -> Reconciliation:
    return reconciliations.noisy_batch()


@pytest.fixture
def month() -> Reconciliation:
    return reconciliations.noisy_month()


@pytest.fixture
def quiet_month() -> Reconciliation:
    return reconciliations.quiet_month()


@pytest.fixture
def hostile() -> Reconciliation:
    return reconciliations.hostile_batch()


@pytest.fixture
def hostile_month() -> Reconciliation:
    return reconciliations.hostile_month()


@pytest.fixture
def empty() -> Reconciliation:
    return reconciliations.empty_batch()


@pytest.fixture
def message_lines() -> Callable[[int], Iterator[MessageLine]]:
    return reconciliations.message_lines


@pytest.fixture
def hostile_lines() -> list[MessageLine]:
    return reconciliations.hostile_lines()
