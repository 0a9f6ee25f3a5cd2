"""Upload with the product's client, or write down how curl uploads the same.

    python benchmarks/lib/uploading.py upload URL FILE            with progress, as a send does it
    python benchmarks/lib/uploading.py nothing URL FILE           everything but the upload: the bare process
    python benchmarks/lib/uploading.py config URL FILE... >FILE   a configuration for curl: one upload after the other

User name and password come from the environment, as for the command.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pipeline.adapters.gateway import Access, GatewayClient
from pipeline.config import load_profile


def main(what: str, url: str, files: list[str]) -> None:
    """Do one of the three."""
    profile = load_profile("mediasms", Path())
    form = profile.upload
    username, password = os.environ["MEDIASMS_GATEWAY_USERNAME"], os.environ["MEDIASMS_GATEWAY_PASSWORD"]
    if what == "config":
        query = f"{form.encode_parameter.value}={form.encode_utf8.value}"
        query += f"&{form.text_type_parameter.value}={form.text_type_text.value}"
        address = f'url = "{url}/{profile.endpoints.send_csv.url.lstrip("/")}?{query}"\nuser = "{username}:{password}"'
        print("\nnext\n".join(f'{address}\nfail\nform = "{form.part.value}=@{file};type=text/csv"' for file in files))
        return
    client = GatewayClient(Access(url, username, password, 10, 600), profile)
    reports: list[int] = []
    if what == "upload":
        exchange = client.upload(Path(files[0]), lambda done, _total: reports.append(done) if not done % 97 else None)
        assert exchange.http_status == 200, exchange.problem  # noqa: PLR2004 - HTTP
        assert exchange.body.startswith(b"200"), exchange.body[:80]
    client.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
