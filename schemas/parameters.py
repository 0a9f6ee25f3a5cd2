"""Every parameter of the gateway's interfaces: its limits, and the code that answers a value outside them.

Plain data, so that who sends and who receives judge by one table, and tests walk it: ``inside`` and ``outside``
hold values just within and just beyond each limit. Grades are those of the profile (S, V, T, A); a section is
the heading of the specification under which the limit stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Interface = Literal["send_single", "send_csv", "results_csv", "result_single", "cancel"]

SINGLE = "SMS 送信 API(個別方式)"
CSV = "SMS 送信 API(CSV 形式)"
RESULT = "送達結果取得 API (SMS 送達結果取得個別方式)"
RESULTS = "送達結果取得 API (SMS 送達結果取得 CSV 形式)"
CANCEL = "キャンセル API"
CHECK = "他人判定接続サービス API(オプション)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of one interface.

    ``form`` is a regular expression (ASCII classes) for the whole value, ``calendar`` the form of a real point
    in time, ``code`` the answer to a value outside or, where ``required``, to none. ``option`` names the account
    option without which the row does not apply.
    """

    interface: Interface
    name: str
    form: str
    code: str
    section: str
    grade: str
    inside: tuple[str, ...]
    outside: tuple[str, ...]
    required: bool = False
    calendar: str = ""
    option: Literal["", "overseas", "over_length", "check"] = ""
    note: str = ""


def allows(parameter: Parameter, value: str) -> bool:
    """Say whether ``value`` stands within the limits of ``parameter``."""
    if not re.fullmatch(parameter.form, value, re.ASCII | re.DOTALL):
        return False
    if not parameter.calendar:
        return True
    try:
        datetime.strptime(value, parameter.calendar)  # noqa: DTZ007 - only whether there is such a day
    except ValueError:
        return False
    return True


_TITLE = r"(?!\d+\Z)[A-Za-z0-9._-]{2,11}"
_TITLES_IN = ("Ab", "a.b_c-d1234", "1a", "--")
_TITLES_OUT = ("A", "Abcdefghijkl", "12345", "a b", "Ａｂ", "a@b")
_SMSID = r"[A-Za-z0-9]{1,50}"
_IDS_IN = ("a", "Z9", "a" * 50, "1")
_IDS_OUT = ("a" * 51, "a-b", "ａ", "a b")
_LINK = "https://example.jp/"
_MINUTE = "%Y%m%d%H%M"
_MINUTES_IN = ("203002281159", "202802291159", "203012312359")
_MINUTES_OUT = ("20300228115", "2030022811590", "203002291159", "203013011159", "203002282400", "2030-02-2811", "x")
_NUMBER_NOTE = "the vendor's pages add: the fourth digit of a domestic mobile is not 0; M2M numbers have 14 digits"


def _link(name: str) -> Parameter:
    # The form of an address is an assumption; that there are at most 2,083 characters is not.
    return Parameter(
        interface="send_single",
        name=name,
        form=r"(?=.{1,2083}\Z)https?://\S+",
        code="590",
        section=SINGLE,
        grade="S",
        inside=("http://a", _LINK, _LINK + "a" * (2083 - len(_LINK)), _LINK + "日本"),
        outside=(_LINK + "a" * (2084 - len(_LINK)), "example.jp", "ftp://example.jp/", "https://a b"),
        note="that it starts with http:// or https:// is an assumption",
    )


def _link_code(name: str) -> Parameter:
    return Parameter(
        interface="send_single",
        name=name,
        form=r"[A-Za-z0-9@%+/'!#$^?:;.,(){}\[\]~_-]{1,20}",
        code="590",
        section=SINGLE,
        grade="S/A",
        inside=("a", "a" * 20, "@%+/'!#$^?:;.,(){}[]", "~-_"),
        outside=("a" * 21, "a b", "a&b", "a*b", "ａ", 'a"b'),
        note="no code of its own is public: the code is an assumption",
    )


def _title(name: str, code: str, grade: str) -> Parameter:
    return Parameter(
        interface="send_single",
        name=name,
        form=_TITLE,
        code=code,
        section=SINGLE,
        grade=grade,
        inside=_TITLES_IN,
        outside=_TITLES_OUT,
        note="" if grade == "S" else "the code is known, the limits are those of smstitle",
    )


def _switch(name: str, code: str) -> Parameter:
    return Parameter(
        interface="send_single",
        name=name,
        form="[01]",
        code=code,
        section=SINGLE,
        grade="S/A",
        inside=("0", "1"),
        outside=("2", "-1", "01", "x", "１"),
        note="the code is known, the limits are an assumption",
    )


def _smsid(interface: Interface, section: str, grade: str, *, required: bool) -> Parameter:
    return Parameter(
        interface=interface,
        name="smsid",
        form=_SMSID,
        code="574",
        section=section,
        grade=grade,
        inside=_IDS_IN,
        outside=(*_IDS_OUT, "a" * 256),
        required=required,
    )


def _encode(interface: Interface, section: str, grade: str) -> Parameter:
    return Parameter(
        interface=interface,
        name="encode",
        form="utf8|shiftjis",
        code="597",
        section=section,
        grade=grade,
        inside=("utf8", "shiftjis"),
        outside=("UTF8", "utf-8", "sjis", "eucjp"),
    )


def _period(name: str) -> Parameter:
    return Parameter(
        interface="results_csv",
        name=name,
        form=r"\d{12}",
        calendar=_MINUTE,
        code="562",
        section=RESULTS,
        grade="A",
        inside=_MINUTES_IN,
        outside=_MINUTES_OUT,
        required=True,
    )


#: in the order in which the embedded gateway judges them
PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        interface="send_single",
        name="mobilenumber",
        form=r"0(?:[6-9]0[1-9]|20[1-35-9])\d{7}|0[26-9]00\d{10}|81(?:[6-9]0[1-9]|20[1-35-9])\d{7}",
        code="560",
        section=SINGLE,
        grade="S+V",
        inside=("09011112222", "08011112222", "07011112222", "06011112222", "02011112222", "819011112222"),
        outside=(
            "0901111222",
            "090111122223",
            "05011112222",
            "09001112222",
            "090-1111-2222",
            "81901111222",
            "8190111122223",
            "０９０１１１１２２２２",
            "0312345678",
            "x",
        ),
        required=True,
        note=_NUMBER_NOTE,
    ),
    Parameter(
        interface="send_single",
        name="mobilenumber",
        form=r"(?!81)[1-9]\d{5,19}",
        code="560",
        section=SINGLE,
        grade="S",
        inside=("123456", "1" * 20, "12025550123"),
        outside=("12345", "1" * 21, "812345678", "x23456"),
        option="overseas",
        note="for numbers that do not start with 0 or 81",
    ),
    Parameter(
        interface="send_single",
        name="smstextid",
        form=r"\d{1,6}",
        code="570",
        section=SINGLE,
        grade="S",
        inside=("0", "12", "999999"),
        outside=("1000000", "-1", "x", "１", "1.0"),
        note="registered in the gateway's console; not together with smstext",
    ),
    Parameter(
        interface="send_single",
        name="smstext",
        form=r"(?=.*[^ \u3000\r\n]).*",
        code="585",
        section=SINGLE,
        grade="S",
        inside=("a", " a", "あ" * 70, "a" * 140, "a" * 141, "髙崎".replace("髙", "高"), "〜−"),
        outside=("", " ", "\u3000", "\n", "\r\n", " \u3000\n", "①", "髙", "𠮷", "😀"),
        required=True,
        note="or smstextid; what is too long is cut; platform-dependent characters are not part of the form",
    ),
    Parameter(
        interface="send_single",
        name="smstext",
        form=".*",
        code="585",
        section=SINGLE,
        grade="S",
        inside=("a" * 140, "あ" * 70, "ｱ" * 70),
        outside=("a" * 141, "あ" * 71, "あ" * 70 + "a"),
        option="over_length",
        note="140 bytes of Shift_JIS (1340 with the long-text option), counted in the text that goes out",
    ),
    _title("smstitle", "580", "S"),
    _title("autitle", "568", "S/A"),
    _title("softbanktitle", "569", "S/A"),
    _title("docomotitle", "598", "S/A"),
    Parameter(
        interface="send_single",
        name="sendingattempts",
        form="[1-5]",
        code="571",
        section=SINGLE,
        grade="S/T",
        inside=("1", "5"),
        outside=("0", "6", "x", "１"),
        note="the code is known, the limits are a third party's",
    ),
    Parameter(
        interface="send_single",
        name="resendinginterval",
        form=r"[1-9]\d{0,3}",
        code="572",
        section=SINGLE,
        grade="S/T",
        inside=("1", "9999"),
        outside=("0", "10000", "x"),
        note="the code is known, the limits are a third party's",
    ),
    Parameter(
        interface="send_single",
        name="status",
        form="[01]",
        code="573",
        section=SINGLE,
        grade="S",
        inside=("0", "1"),
        outside=("2", "-1", "01", "x", "１"),
        note="1 needs an smsid",
    ),
    _smsid("send_single", SINGLE, "S", required=False),
    _switch("docomo", "575"),
    _switch("au", "576"),
    _switch("softbank", "577"),
    Parameter(
        interface="send_single",
        name="gateway",
        form=r"\d{1,3}",
        code="579",
        section=SINGLE,
        grade="S/A",
        inside=("0", "999"),
        outside=("1000", "-1", "x"),
        note="the code is known, the limits are an assumption",
    ),
    *(_link(name) for name in ("originalurl", "originalurl2", "originalurl3", "originalurl4")),
    *(_link_code(name) for name in ("originalurlcode", "originalurlcode2", "originalurlcode3", "originalurlcode4")),
    Parameter(
        interface="send_single",
        name="senddatetime",
        form=r"\d{12}",
        calendar=_MINUTE,
        code="562",
        section=SINGLE,
        grade="S",
        inside=_MINUTES_IN,
        outside=(*_MINUTES_OUT, "200001011200"),
        note="that a minute gone by is answered so too is an assumption",
    ),
    Parameter(
        interface="send_single",
        name="registrationdate",
        form=r"\d{8}",
        calendar="%Y%m%d",
        code="608",
        section=CHECK,
        grade="T/A",
        inside=("20200229", "19700101"),
        outside=("20210229", "2020022", "202002291", "2020-2-2", "29991231", "x"),
        option="check",
        note="with type=check or checksms; a day that has not come is no day of registration",
    ),
    Parameter(
        interface="send_csv",
        name="smstexttype",
        form="csv|id",
        code="591",
        section=CSV,
        grade="V",
        inside=("csv", "id"),
        outside=("CSV", "text", "0"),
        required=True,
    ),
    _encode("send_csv", CSV, "V"),
    _period("startdate"),
    _period("enddate"),
    _encode("results_csv", RESULTS, "A"),
    _smsid("result_single", RESULT, "S/T", required=True),
    _smsid("cancel", CANCEL, "S/A", required=True),
)

#: the longest value of any parameter of the cancel interface (S), and the answer to a longer one (A)
CANCEL_VALUE_CHARACTERS = 255
CANCEL_VALUE_CODE = "550"


def parameters_of(interface: Interface) -> tuple[Parameter, ...]:
    """Return the parameters of one interface, in the order in which they are judged."""
    return tuple(parameter for parameter in PARAMETERS if parameter.interface == interface)
