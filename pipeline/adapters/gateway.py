"""The gateway client: what was sent, how much of it was read, and what came back. It judges nothing.

requests and requests-toolbelt stay in here. The transport never retries: an encoder is not rewound, so a retried POST
would carry the old length and an empty body. Only the count of bytes read says whether anything can have left.
"""

from __future__ import annotations

import io
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from requests_toolbelt import MultipartEncoder, MultipartEncoderMonitor
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import Retry

from pipeline.adapters.files import DurableFile
from pipeline.core.calendar import JST
from pipeline.errors import UsageError
from schemas.profile import Endpoint, Profile, required
from schemas.single import Form, encoded
from schemas.upload import UploadForm

_SEND_BLOCK = 131_072
_ANSWER_LIMIT = 16 << 20
#: how long a connection may have been idle and still be trusted with a message
_IDLE_SECONDS = 1.0
_CONTENT_TYPES = {"form": "application/x-www-form-urlencoded", "json": "application/json"}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach the gateway; timeouts in seconds.

    ``write_timeout`` is the longest time in which the gateway takes nothing of an upload, ``read_timeout`` the longest
    silence afterwards.
    """

    base_url: str
    username: str
    password: str
    connect_timeout: float
    read_timeout: float
    write_timeout: float = 60
    ca_file: Path | None = None
    proxy: str | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as it went: ``bytes_read`` of the body by the transport; no status without a whole answer.

    ``gateway_time`` is what the gateway's clock shows at its end, to the second, by the ``Date`` of the answer; None
    where there was none, or one that a cache kept.
    """

    bytes_read: int
    http_status: int | None
    body: bytes
    problem: str
    gateway_time: datetime | None = None


class _Counted:
    """A body that knows how much of it was read: only that says whether anything can have left."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)
        self._size = len(data)
        self.bytes_read = 0

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        self.bytes_read += len(block)
        return block


def _pools(write_timeout: float) -> dict[str, type[HTTPConnectionPool]]:
    """Return pools whose connections have a timeout of their own for writing.

    urllib3 has none: it writes under the timeout for connecting, which is no measure for a slow network.
    """

    class Plain(HTTPConnection):
        def request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - urllib3's own signature
            if self.sock is None:
                self.connect()
            self.timeout = write_timeout
            super().request(*args, **kwargs)

    class Secure(HTTPSConnection):
        def request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as above
            if self.sock is None:
                self.connect()
            self.timeout = write_timeout
            super().request(*args, **kwargs)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class _Transport(HTTPAdapter):
    """TLS 1.2 or newer, verified, no retries, large blocks."""

    def __init__(self, ca_file: Path | None, write_timeout: float) -> None:
        self._pools = _pools(write_timeout)
        self._context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        super().__init__(max_retries=Retry(0, read=False))

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - urllib3's own signature
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context, blocksize=_SEND_BLOCK)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - requests' own signature
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


class GatewayClient:
    """Talk to one account of the gateway."""

    def __init__(self, access: Access, profile: Profile) -> None:
        """Check the address: HTTPS, or loopback for the embedded gateway; no credentials in it."""
        check_address(access.base_url)
        self._access = access
        for endpoint in dict(profile.endpoints).values():
            check_address(self.address(endpoint))
        self._profile = profile
        self._session = requests.Session()
        self._session.trust_env = False  # proxies and netrc from the environment would change where a secret goes
        self._session.auth = HTTPBasicAuth(access.username.encode(), access.password.encode())
        if access.ca_file:
            self._session.verify = str(access.ca_file)
        if access.proxy:
            self._session.proxies = {"https": access.proxy, "http": access.proxy}
        self._used_at = 0.0
        self._transport = _Transport(access.ca_file, access.write_timeout)
        self._session.mount("https://", self._transport)
        self._session.mount("http://", self._transport)

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def address(self, endpoint: Endpoint) -> str:
        """Return the URL of an endpoint: a path under the base URL, or its own absolute URL; no query, no secret."""
        if "://" in endpoint.url:
            return endpoint.url
        return f"{self._access.base_url.rstrip('/')}/{endpoint.url.lstrip('/')}"

    def upload(self, payload: Path, progress: Progress | None = None) -> Exchange:
        """Send a payload as one multipart upload, streamed from disk, exactly once."""
        form, of_payload = self._profile.upload, UploadForm.of(payload.name)
        encoding = form.encode_utf8 if of_payload.encoding == "utf-8" else form.encode_cp932
        text_type = form.text_type_template if of_payload.by_template else form.text_type_text
        query = {form.encode_parameter.value: encoding.value, form.text_type_parameter.value: text_type.value}
        with payload.open("rb") as stream:
            encoder = MultipartEncoder({form.part.value: (payload.name, stream, "text/csv")})
            total = encoder.len

            def on_read(seen: MultipartEncoderMonitor) -> None:
                if progress:
                    progress(seen.bytes_read, total)

            # Never on a connection that was kept: the gateway may be closing it just now, and then nobody knows what
            # became of the bytes that had gone into it.
            self._transport.close()
            monitor = MultipartEncoderMonitor(encoder, on_read)
            endpoint = self._profile.endpoints.send_csv
            return self._exchange(
                lambda: monitor.bytes_read,
                endpoint,
                params=query,
                data=monitor,
                headers={"Content-Type": monitor.content_type, "Connection": "close"},
            )

    def single(self, body: bytes, form: Form) -> Exchange:
        """Send one message, exactly once; ``body`` is its parameters as they were planned, in a form of then."""
        return self._post(self._profile.endpoints.send_single, body, form)

    def single_result(self, smsid: str) -> Exchange:
        """Ask for the result of one message."""
        self._close_if_idle()
        endpoint = self._profile.endpoints.result_single
        query = {self._profile.single.result_parameter.value: smsid}
        carrier: dict[str, Any] = {"params" if endpoint.method == "GET" else "data": query}
        exchange = self._exchange(lambda: 0, endpoint, **carrier)
        self._used_at = monotonic()
        return exchange

    def cancel(self, smsid: str) -> Exchange:
        """Ask the gateway to cancel one message."""
        body = encoded({required(self._profile.cancel, "cancel").parameter.value: smsid}, "form")
        return self._post(self._profile.endpoints.cancel, body, "form")

    def _post(self, endpoint: Endpoint, body: bytes, form: Form) -> Exchange:
        """Make one request about one message, exactly once.

        A connection is kept for the next message, but never used after it was idle for a second: the gateway may be
        closing it just then.
        """
        self._close_if_idle()
        counted = _Counted(body)
        headers = {"Content-Type": _CONTENT_TYPES[form]}
        # Never GET: numbers, texts and smsids, which may be the user's own, would stand in the address, and so in logs.
        exchange = self._exchange(lambda: counted.bytes_read, endpoint, method="POST", data=counted, headers=headers)
        self._used_at = monotonic()
        return exchange

    def _close_if_idle(self) -> None:
        if monotonic() - self._used_at > _IDLE_SECONDS:
            self._transport.close()

    def results(self, start: datetime, end: datetime, into: DurableFile) -> Exchange:
        """Fetch the results CSV of [start, end) into a file; its beginning, which may be a code, is ``body`` too."""
        form = self._profile.results
        encoding = (
            self._profile.upload.encode_utf8 if form.encoding.value == "utf-8" else self._profile.upload.encode_cp932
        )
        query = {
            form.start_parameter.value: start.astimezone(JST).strftime(form.time_format.value),
            form.end_parameter.value: end.astimezone(JST).strftime(form.time_format.value),
            form.encode_parameter.value: encoding.value,
        }
        endpoint = self._profile.endpoints.results_csv
        carrier: dict[str, Any] = {"params" if endpoint.method == "GET" else "data": query}
        return self._exchange(lambda: 0, endpoint, into=into, **carrier)

    def _exchange(
        self,
        bytes_read: Callable[[], int],
        endpoint: Endpoint,
        *,
        method: str | None = None,
        into: DurableFile | None = None,
        **request: Any,  # noqa: ANN401 - requests' own
    ) -> Exchange:
        timeout = (self._access.connect_timeout, self._access.read_timeout)
        url = self.address(endpoint)
        if query := request.get("params"):
            # Above it the gateway answers 414.
            limit, size = self._profile.limits.get_bytes.value, len(f"{url}?{urlencode(query)}")
            if size > limit:
                raise UsageError("gateway.address_too_long", size=size, limit=limit)
        try:
            with self._session.request(
                method or endpoint.method, url, timeout=timeout, allow_redirects=False, stream=True, **request
            ) as response:
                date, since = _date(response.headers), monotonic()
                kept = bytearray()
                for block in response.iter_content(_SEND_BLOCK):
                    if into is not None:
                        into.write(block)
                    if into is None or len(kept) < _ANSWER_LIMIT // 1024:
                        kept += block
                    if len(kept) > _ANSWER_LIMIT:
                        return Exchange(bytes_read(), None, b"", "answer too long")
                # The body may have taken long; the date is that of the headers.
                shown = date + timedelta(seconds=monotonic() - since) if date else None
                return Exchange(bytes_read(), response.status_code, bytes(kept), "", shown)
        except (requests.RequestException, OSError) as error:
            # The class of the exception proves nothing; its name is only for the person who reads the log.
            return Exchange(bytes_read(), None, b"", type(error).__name__)


def _date(headers: Mapping[str, str]) -> datetime | None:
    """Return the time at which the gateway says that it answered."""
    if "Age" in headers:
        return None
    try:
        return parsedate_to_datetime(headers.get("Date", "")).astimezone(JST)
    except (ValueError, OverflowError):
        return None


def check_address(url: str) -> None:
    """Refuse an address to which credentials must not go."""
    try:
        parts = urlsplit(url)
        well_formed = parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        well_formed = False
    if not well_formed:
        raise UsageError("gateway.base_url", url=url.rpartition("@")[2])
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise UsageError("gateway.not_https", host=parts.hostname)
    if parts.username or parts.password or parts.query:
        raise UsageError("gateway.credentials_in_url")


@contextmanager
def connected(access: Access, profile: Profile) -> Iterator[GatewayClient]:
    """Open a client and close it again."""
    client = GatewayClient(access, profile)
    try:
        yield client
    finally:
        client.close()


def read_secret(path: Path) -> str:
    """Read a secret from a file; one line end at its end does not belong to it."""
    try:
        return path.read_text().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise UsageError("config.secret_file", file=os.fspath(path), problem=error.strerror) from None
