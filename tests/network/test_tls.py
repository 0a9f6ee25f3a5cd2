"""TLS: a server that does not prove who it is gets neither the credential nor a byte of the list."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.crash.place import ACCEPTED, FINDINGS, at_most_once
from tests.network.wire import HOST, Wire

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.place import Place, Places

TRY_LATER = 4


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


def _server(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def _old(context: ssl.SSLContext) -> ssl.SSLContext:
    """Let a context of either side speak TLS 1.1 and nothing newer."""
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def _point(place: Place, wire: Wire, ca_file: Path | None) -> None:
    place.environment["MEDIASMS_GATEWAY_BASE_URL"] = wire.url
    if ca_file:
        place.environment["MEDIASMS_GATEWAY_CA_FILE"] = str(ca_file)


def _nothing_left_and_the_next_run_sends(place: Place, wire: Wire, code: int, ca_file: Path, good: Wire) -> None:
    assert code == TRY_LATER, place.said
    assert wire.heads == []
    assert Counter(place.states().values()) == {"planned": ACCEPTED}
    assert place.copies() == {}
    _point(place, good, ca_file)
    assert place.run() == FINDINGS, place.said
    assert Counter(place.states().values()) == {"taken": ACCEPTED}
    assert at_most_once(place) == []


def test_an_authority_of_ones_own_is_accepted(places: Places, authority: trustme.CA, ca_file: Path) -> None:
    with places() as place, Wire(place.gateway.url, _server(authority.issue_cert(HOST))) as wire:
        _point(place, wire, ca_file)
        assert place.run() == FINDINGS, place.said
        assert Counter(place.states().values()) == {"taken": ACCEPTED}
        assert at_most_once(place) == []
        assert all(b"Authorization: Basic" in head for head in wire.heads)


@pytest.mark.parametrize("fault", ["expired", "not yet valid", "another host", "unknown authority"])
def test_a_certificate_that_proves_nothing_gets_nothing(
    places: Places, authority: trustme.CA, ca_file: Path, fault: str
) -> None:
    now, day = datetime.now(UTC), timedelta(days=1)
    certificate = {
        "expired": lambda: authority.issue_cert(HOST, not_before=now - day * 9, not_after=now - day),
        "not yet valid": lambda: authority.issue_cert(HOST, not_before=now + day, not_after=now + day * 9),
        "another host": lambda: authority.issue_cert("gateway.test"),
        "unknown authority": lambda: trustme.CA().issue_cert(HOST),
    }[fault]()
    with (
        places() as place,
        Wire(place.gateway.url, _server(certificate)) as wire,
        Wire(place.gateway.url, _server(authority.issue_cert(HOST))) as good,
    ):
        _point(place, wire, ca_file)
        code = place.run()
        _nothing_left_and_the_next_run_sends(place, wire, code, ca_file, good)


def test_an_authority_that_only_we_know_is_not_known_unless_it_is_named(
    places: Places, authority: trustme.CA, ca_file: Path
) -> None:
    with places() as place, Wire(place.gateway.url, _server(authority.issue_cert(HOST))) as wire:
        _point(place, wire, None)
        _nothing_left_and_the_next_run_sends(place, wire, place.run(), ca_file, wire)


def test_tls_1_1_is_not_spoken(places: Places, authority: trustme.CA, ca_file: Path) -> None:
    with (
        places() as place,
        Wire(place.gateway.url, _old(_server(authority.issue_cert(HOST)))) as wire,
        Wire(place.gateway.url, _server(authority.issue_cert(HOST))) as good,
    ):
        _point(place, wire, ca_file)
        _nothing_left_and_the_next_run_sends(place, wire, place.run(), ca_file, good)
        assert len(wire.failures) == 1
        # The server does work, for a client that speaks so old a version.
        client = _old(ssl.create_default_context(cafile=str(ca_file)))
        with (
            socket.create_connection((HOST, wire.port), timeout=5) as plain,
            client.wrap_socket(plain, server_hostname=HOST) as spoken,
        ):
            assert spoken.version() == "TLSv1.1"
