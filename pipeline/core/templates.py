"""Templates of the gateway: registered in its console under a number, and sent by that number instead of a text (S).

What stands in a template only the gateway knows. A text that somebody copied from the console lets it be checked and
priced like any other text.
"""

from __future__ import annotations

import re

from pipeline.core.tags import GATEWAY_TAGS, Unclosed, parse_template, repaired_literals
from pipeline.core.text import forbidden_characters, is_blank

_ID = re.compile("[0-9]+")


def canonical_id(given: str, limit: int) -> str:
    """Return a template id without blanks and leading zeros, or nothing where it is none from 0 to ``limit``."""
    bare = given.strip()
    if not _ID.fullmatch(bare) or len(bare) > len(str(limit)) or int(bare) > limit:
        return ""
    return str(int(bare))


def canonical_text(text: str) -> str:
    """Return the text of a template as it is measured; one line break at its end is the file's, as of any text."""
    return repaired_literals(text.replace("\r\n", "\n").removesuffix("\n"), {})


def problem_of(text: str) -> str:
    """Say what keeps a text from being that of a template, or nothing.

    Nobody but the gateway fills its tags, and nothing in it can be repaired from here.
    """
    template = parse_template(text)
    if isinstance(template, Unclosed):
        return f"the brace at position {template.position} has no partner"
    if strangers := [tag for tag in template.tags if tag not in GATEWAY_TAGS]:
        return f"the gateway fills {{info1}} to {{info4}} and {{URL}} to {{URL4}}, not {{{strangers[0]}}}"
    if is_blank(text):
        return "the text is blank"
    if "\t" in text:
        return "a TAB cannot be sent"
    if characters := forbidden_characters(canonical_text(text)):
        return f"{characters[0]} cannot be sent"
    return ""
