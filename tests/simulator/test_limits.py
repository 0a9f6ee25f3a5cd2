"""The whole parameter table, over real HTTP: just inside every limit is taken, just outside gets its code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.simulator import EmbeddedGateway, Knobs
from schemas.parameters import CANCEL_VALUE_CODE, Parameter, parameters_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.profile import Profile
    from tests.simulator.conftest import Client


def named(parameter: Parameter) -> str:
    return f"{parameter.name}-{parameter.option}"


def request(parameter: Parameter, value: str) -> dict[str, str]:
    """Return the other parameters that a value of this one needs."""
    if parameter.name == "smstextid":
        return {"smstext": "", "smstextid": value}
    if parameter.option == "check":
        return {"type": "check", parameter.name: value}
    if parameter.name == "status":
        return {"smsid": "a1", "status": value}
    return {parameter.name: value}


def taken(client: Client) -> int:
    return sum(message.copies for message in client.gateway.messages)


@pytest.mark.parametrize("parameter", parameters_of("send_single"), ids=named)
def test_individual_send(
    opened: Callable[..., EmbeddedGateway], client_of: type[Client], profile: Profile, parameter: Parameter
) -> None:
    other = None
    if parameter.option == "overseas":
        option = profile.options.overseas.model_copy(update={"value": True})
        other = profile.model_copy(update={"options": profile.options.model_copy(update={"overseas": option})})
    knobs = Knobs(check_option=parameter.option == "check", refuse_too_long=parameter.option == "over_length")
    client = client_of(opened(knobs=knobs, other=other))
    for number, value in enumerate(parameter.inside, 1):
        assert client.single(**request(parameter, value)) == "200", value
        assert taken(client) == number
    for value in parameter.outside:
        assert client.single(**request(parameter, value)) == parameter.code, value
    if parameter.required:
        assert client.single(**{parameter.name: ""}) == parameter.code
    assert taken(client) == len(parameter.inside)


@pytest.mark.parametrize("parameter", parameters_of("send_csv"), ids=named)
def test_csv_send(client: Client, parameter: Parameter) -> None:
    query = {"smstexttype": "id"}
    for value in parameter.inside:
        assert client.send(client.row(c8="12"), **(query | {parameter.name: value})).text.startswith("200\n"), value
    for value in parameter.outside:
        assert client.send(client.row(c8="12"), **(query | {parameter.name: value})).text == parameter.code, value


@pytest.mark.parametrize("parameter", parameters_of("results_csv"), ids=named)
def test_results(client: Client, parameter: Parameter) -> None:
    first, last = "200001010000", "209901010000"
    period = {"startdate": first, "enddate": last}
    for value in parameter.inside:
        assert client.post("/api4/", **(period | {parameter.name: value})) == "", value
    for value in parameter.outside:
        assert client.post("/api4/", **(period | {parameter.name: value})) == parameter.code, value


def test_individual_result(client: Client) -> None:
    (parameter,) = parameters_of("result_single")
    for value in parameter.inside:
        client.single(smsid=value, status="1")
        assert client.post("/api5/", smsid=value) == "200\n処理中\n"
    for value in ("", *parameter.outside):
        assert client.post("/api5/", smsid=value) == parameter.code, value
    assert client.post("/api5/") == parameter.code


def test_cancel(client: Client) -> None:
    (parameter,) = parameters_of("cancel")
    for value in parameter.inside:
        client.single(smsid=value, senddatetime="203001010000")
        assert client.post("/cancelapi/", smsid=value) == "200"
    for value in ("", *parameter.outside):
        assert client.post("/cancelapi/", smsid=value) == parameter.code, value
    client.single(smsid="b", senddatetime="203001010000")
    assert client.post("/cancelapi/", smsid="b", note="x" * 256) == CANCEL_VALUE_CODE
    assert client.post("/cancelapi/", smsid="b", note="x" * 255) == "200"
