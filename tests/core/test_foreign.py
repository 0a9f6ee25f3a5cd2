"""Messages of others: how many they are, of which day, and what they cost, whatever their systems use as an smsid."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.core.foreign import price_foreign
from tests.core.naive import observations_table, observed
from tests.core.worlds import AS_OF, BORDER, STATUSES, TARIFF

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.model import ForeignLine
    from tests.core.naive import Seen

MINUTE: Final = timedelta(minutes=1)
MONTHS: Final = ("2026-03", "2026-04")


def of(smsid: str, registered: datetime | None, *, number: str = "09012345678", came: datetime | None = None) -> Seen:
    """Return a delivery: with a registration from a results CSV, without one from a notification."""
    return observed(
        smsid,
        number,
        "送信済",
        registered + MINUTE / 3 if registered else None,
        carrier="Docomo" if registered else "",
        registered_at=registered,
        received_at=came,
    )


def priced(*rows: Seen, by_number: bool = False) -> list[ForeignLine]:
    def line(month: str) -> ForeignLine:
        table = observations_table(rows)
        return price_foreign(table, STATUSES, TARIFF, AS_OF, month, delivered=False, by_number=by_number).line

    return [line(month) for month in MONTHS]


def test_an_smsid_that_another_system_uses_again_is_a_bill_each_time_in_its_own_month() -> None:
    march, april = priced(
        of("customer42", BORDER - timedelta(days=9)),
        of("customer42", BORDER + timedelta(days=5)),
        of("customer42", BORDER + timedelta(days=8)),
        of("customer42", BORDER + timedelta(days=8), number="09012345679"),
    )
    assert (march.billable_messages, march.amount) == (1, Decimal("8.1"))
    assert (april.billable_messages, april.amount) == (3, Decimal("25.5"))


@pytest.mark.parametrize("came", [-2, 0, 1, 3])
def test_a_notification_is_about_the_last_message_that_was_registered_before_it(came: int) -> None:
    days = [BORDER - timedelta(days=9), BORDER, BORDER + timedelta(days=2)]
    march, april = priced(of("a", None, came=BORDER + timedelta(days=came)), *(of("a", day) for day in days))
    assert (march.messages, april.messages) == (1, 2)
    assert (march.unpriced, april.unpriced) == (0, 0)
    march, april = priced(of("a", None, came=BORDER - timedelta(days=20)), of("a", BORDER))
    assert (march.messages, april.messages) == (0, 1)


def test_where_results_name_no_smsid_a_notification_is_about_the_last_message_to_its_number() -> None:
    notified = of("a", None, came=BORDER + MINUTE)
    for rows in ([of("", BORDER)], [of("", BORDER), of("", BORDER + timedelta(days=1))]):
        assert [line.messages for line in priced(notified, *rows, by_number=True)] == [0, len(rows)]
        assert [line.messages for line in priced(notified, *rows)] == [0, len(rows) + 1]
    assert [line.messages for line in priced(notified, of("", BORDER + 2 * MINUTE), by_number=True)] == [0, 1]
    other = of("", BORDER, number="09012345679")
    assert [line.messages for line in priced(notified, other, by_number=True)] == [0, 2]
    assert [line.messages for line in priced(notified, notified, by_number=True)] == [0, 1]


def test_rows_without_an_smsid_that_are_alike_are_about_as_many_messages() -> None:
    pending = observed("", "09012345678", "処理中", BORDER, carrier="Docomo", registered_at=BORDER)
    march, april = priced(of("", BORDER), pending, of("", BORDER), of("", BORDER + MINUTE))
    assert (march.messages, april.messages, april.amount) == (0, 3, Decimal("25.5"))
    _, april = priced(*[of("a", BORDER)] * 2)
    assert april.messages == 1


def test_notifications_alone_are_one_message_of_the_day_on_which_the_first_came() -> None:
    march, april = priced(of("a", None, came=BORDER), of("a", None, came=BORDER - MINUTE))
    assert (march.messages, april.messages) == (1, 0)
    march, april = priced(of("a", None, came=BORDER - MINUTE), of("b", BORDER))
    assert (march.messages, april.messages) == (1, 1)
