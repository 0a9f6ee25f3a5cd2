"""Configuration: defaults < TOML < environment; every problem at once; secrets are never shown."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from pipeline.config import Configuration, load, load_profile, read_text
from pipeline.errors import UsageError


def configured(folder: Path, text: str = "", **environment: str) -> Configuration:
    file = folder / "mediasms.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, {f"MEDIASMS_{name}": value for name, value in environment.items()})


def problems(folder: Path, text: str = "", **environment: str) -> str:
    with pytest.raises(UsageError) as caught:
        configured(folder, text, **environment)
    assert caught.value.code == "config.invalid"
    assert str(folder) in str(caught.value)
    return str(caught.value.facts["problems"])


def test_an_empty_file_has_the_defaults(tmp_path: Path) -> None:
    configuration = configured(tmp_path)
    settings = configuration.settings
    assert settings.gateway.base_url == ""
    assert settings.gateway.profile == "mediasms"
    assert settings.send.max_rows is None
    assert settings.results.deadline_days == 8
    assert configuration.profile.name == "mediasms"
    assert configuration.tariff.name == "example"
    assert configuration.folder == tmp_path
    assert configuration.path(settings.workspace.path) == tmp_path / "workspace"


def test_the_environment_beats_the_file_and_the_file_the_defaults(tmp_path: Path) -> None:
    text = '[gateway]\nbase_url = "https://file.example"\nread_timeout = 5\n[send]\nmax_rows = 7\n'
    settings = configured(
        tmp_path, text, GATEWAY_BASE_URL="https://env.example", RESULTS_SETTLE_AFTER_HOURS="3"
    ).settings
    assert settings.gateway.base_url == "https://env.example"
    assert settings.gateway.read_timeout == 5
    assert settings.gateway.connect_timeout == 10
    assert settings.send.max_rows == 7
    assert settings.results.settle_after_hours == 3


def test_other_variables_of_the_environment_are_not_ours(tmp_path: Path) -> None:
    file = tmp_path / "mediasms.toml"
    file.write_text("")
    load(file, {"PATH": "x", "XMEDIASMS_GATEWAY_BASE_URL": "x", "mediasms_gateway_base_url": "x"})


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        '[gateway]\nbase = "x"\nread_timeout = 0\n[gatway]\nx = 1\n[send]\nauth_failures = 10\n',
        SENT_MAX_ROWS="1",
        SEND_ROWS="1",
        RESULTS_DEADLINE_DAYS="soon",
    )
    for key in (
        "gateway.base:",
        "gateway.read_timeout",
        "gatway",
        "send.auth_failures",
        "sent:",
        "send.rows",
        "results.deadline_days",
    ):
        assert f"  {key}" in found


@pytest.mark.parametrize("name", ["LEDGER", "FOO", "FOO_BAR", "", "GATEWAY_"])
def test_an_unknown_variable_with_our_prefix_is_an_error(tmp_path: Path, name: str) -> None:
    assert problems(tmp_path, **{name: "x"})


@pytest.mark.parametrize(
    "text",
    [
        "[results]\ndeadline_days = 0\n",
        "[results]\npull_margin_minutes = -1\n",
        "[results]\nsettle_after_hours = 0\n",
        "[send]\nmax_rows = 0\n",
        "[send]\nrepeat_guard_days = -1\n",
        "[send]\nauth_failures = 0\n",
        "[gateway]\nconnect_timeout = -1\n",
    ],
)
def test_values_have_borders(tmp_path: Path, text: str) -> None:
    assert text.partition("\n")[2].partition(" ")[0] in problems(tmp_path, text)


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    secret = "Geheim-0123"  # noqa: S105 - invented
    configuration = configured(tmp_path, f'[gateway]\npassword = "{secret}"\n')
    also = configured(tmp_path, GATEWAY_PASSWORD=secret)
    for shown in (configuration, also):
        assert shown.settings.gateway.password.get_secret_value() == secret
        for text in (repr(shown), str(shown), repr(shown.settings), str(shown.settings.gateway)):
            assert secret not in text
        assert secret not in shown.settings.model_dump_json()
    assert secret not in problems(tmp_path, f'[gateway]\npassword = ["{secret}"]\nusername = 1\n')
    assert secret not in problems(tmp_path, "[gateway]\nx = 1\n", GATEWAY_PASSWORD=secret)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path / "none.toml", {})
    assert caught.value.code == "config.missing"
    optional = load(tmp_path / "none.toml", {"MEDIASMS_SEND_MAX_ROWS": "9"}, required=False)
    assert optional.settings.send.max_rows == 9


@pytest.mark.parametrize("data", [b"[gateway\n", b"x = '\xff'\n", b"a = 1\na = 2\n"])
def test_a_file_that_is_not_toml(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m.toml").write_bytes(data)
    with pytest.raises(UsageError) as caught:
        load(tmp_path / "m.toml", {})
    assert caught.value.code == "config.not_toml"


def test_relative_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "conf"
    folder.mkdir()
    tariff = files("schemas").joinpath("tariffs/example.toml").read_text("utf-8")
    (folder / "mine.toml").write_text(tariff.replace('"example"', '"mine"'), encoding="utf-8")
    profile = files("schemas").joinpath("profiles/mediasms.toml").read_text("utf-8")
    (folder / "account.toml").write_text("\ufeff" + profile, encoding="utf-8")
    (folder / "mediasms.toml").write_text(
        '[gateway]\nprofile = "account.toml"\n[tariff]\nfile = "mine.toml"\n[ledger]\nurl = "sqlite:///l.db"\n'
    )
    monkeypatch.chdir(tmp_path)
    configuration = load(Path("conf/mediasms.toml"), {})
    assert configuration.tariff.name == "mine"
    assert configuration.profile.name == "mediasms"
    assert configuration.folder == folder
    assert configuration.ledger_url == f"sqlite:///{folder / 'l.db'}"
    assert configuration.path(Path("/abs")) == Path("/abs")


@pytest.mark.parametrize(
    ("url", "resolved"),
    [
        ("sqlite:////var/l.db", "sqlite:////var/l.db"),
        ("postgresql+psycopg://u@h/db", "postgresql+psycopg://u@h/db"),
    ],
)
def test_other_ledger_urls_stay_as_they_are(tmp_path: Path, url: str, resolved: str) -> None:
    assert configured(tmp_path, f'[ledger]\nurl = "{url}"\n').ledger_url == resolved


def test_a_named_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        configured(tmp_path, '[tariff]\nfile = "none.toml"\n')
    assert (caught.value.code, caught.value.facts["key"]) == ("config.unreadable", "tariff.file")
    for name in ("unheard", "none.toml", "../mediasms"):
        with pytest.raises(UsageError) as caught:
            load_profile(name, tmp_path)
        assert caught.value.code == "config.unreadable"
        assert "gateway.profile" in str(caught.value)
    (tmp_path / "latin").write_bytes(b"\xe9")
    with pytest.raises(UsageError) as caught:
        read_text(tmp_path / "latin", "tariff.file")
    assert caught.value.code == "config.encoding"


def test_texts_of_templates_are_brought_to_one_form(tmp_path: Path) -> None:
    text = '[templates]\n12 = """\n{info1}〜\r\n終わり\n"""\n"007" = "か\u3099"\n'
    assert configured(tmp_path, text, TEMPLATES_3="三").settings.templates == {
        "12": "{info1}～\n終わり",
        "7": "が",
        "3": "三",
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('1000000 = "a"', "1000000: an id is a number from 0 to 999999"),
        ('x = "a"', "x: an id is a number"),
        ('1 = "a"\n01 = "b"', "01: there is another text for 1"),
        ('1 = "{name}様"', "1: the gateway fills {info1} to {info4} and {URL} to {URL4}, not {name}"),
        ('1 = "a{info1"', "1: the brace at position 2 has no partner"),
        ('1 = " \\n"', "1: the text is blank"),
        ('1 = ""', "1: the text is blank"),
        ('1 = "a\\tb"', "1: a TAB cannot be sent"),
        ('1 = "会社㈱"', "1: 3:㈱(U+3231) cannot be sent"),
        ("1 = 2", "templates.1: "),
    ],
)
def test_a_text_that_is_none_of_a_template_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in problems(tmp_path, f"[templates]\n{text}\n")


def test_an_encoding_of_uploads_is_one_of_two(tmp_path: Path) -> None:
    assert "send.encode: " in problems(tmp_path, '[send]\nencode = "utf-8"\n')
