"""The embedded gateway behind TLS of its own."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
import requests
import trustme

from pipeline.simulator import EmbeddedGateway, Knobs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from schemas.profile import Profile


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> tuple[Path, Path, Path]:
    """Return certificate, key, and the authority to trust."""
    certificate = authority.issue_cert("127.0.0.1")
    chain, key, trusted = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "ca.pem"
    certificate.cert_chain_pems[0].write_to_path(chain)
    certificate.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(trusted)
    return chain, key, trusted


@pytest.fixture
def gateway(profile: Profile, files: tuple[Path, Path, Path]) -> Iterator[EmbeddedGateway]:
    with EmbeddedGateway(profile, seed=1, certificate=files[:2]) as found:
        yield found


def test_it_speaks_tls(gateway: EmbeddedGateway, files: tuple[Path, Path, Path]) -> None:
    assert gateway.url.startswith("https://127.0.0.1:")
    message = {"mobilenumber": "09011112222", "smstext": "x"}
    with requests.Session() as session:
        session.trust_env = False  # a bundle named in the environment would win
        session.auth, session.verify = (gateway.username, gateway.password), str(files[2])
        for _ in range(3):
            assert session.post(f"{gateway.url}/api/", data=message, timeout=5).text == "200"
        with pytest.raises(requests.RequestException):
            requests.post(gateway.url.replace("https", "http") + "/api/", data=message, timeout=5)
        assert "https://127.0.0.1" in session.get(f"{gateway.url}/", timeout=5).text
        gateway.knobs = Knobs(accept_then_reset=True)
        with pytest.raises(requests.ConnectionError):
            session.post(f"{gateway.url}/api/", data=message, timeout=5)
    assert len(gateway.messages) == 4


def test_a_certificate_that_cannot_be_used(profile: Profile, files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    chain, key, _ = files
    for pair in ((key, chain), (tmp_path / "absent", key)):
        with (
            pytest.raises((ssl.SSLError, FileNotFoundError)),
            EmbeddedGateway(profile, seed=1, certificate=pair),
        ):
            pass
