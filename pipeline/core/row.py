"""One row of the input, read: its number, its text before and after tags, and what was repaired on the way.

This is what the rules look at, a row at a time. The kernels do the same for whole columns; they must come to the
same, and tests hold them to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from pipeline.core import msisdn, tags, text
from pipeline.core.moments import is_of_gateway, read_minute
from pipeline.core.policy import Policy, Roles
from pipeline.core.templates import canonical_id
from pipeline.core.text import Length
from pipeline.model import Repair


@dataclass
class Row:
    """A row being examined. ``cells`` are as given, by column; ``repairs`` are those of sound cells, in order."""

    number: int
    cells: Mapping[str, str]
    roles: Roles
    policy: Policy
    repairs: list[Repair] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read number and text; what was repaired is noted."""
        cells = self.cells
        self._given = {role: cells[name] for role, name in self.roles.columns.items() if name in cells}
        number = self.given("msisdn")
        self.phone = msisdn.read_msisdn(number, overseas=self.policy.limits.overseas)
        if isinstance(self.phone, msisdn.Reading) and self.phone.repairs:
            self._repaired(self.roles.name("msisdn"), number, self.phone.msisdn, self.phone.repairs)
        #: the minute for which the message is scheduled, where one can be read
        self.scheduled = self._read_scheduled()
        self.info = {name: self._clean(self.roles.columns[name]) for name in self.worded if self.given(name)}
        template_id = canonical_id(self.given("template_id"), self.policy.limits.template_id_max)
        by_template = self.has_template_id and not self.has_text
        #: whether nobody here knows what stands in the row's template
        self.is_unseen = by_template and template_id not in self.policy.templates
        #: the column that decides what the text is
        self.text_column = self.roles.name("template_id" if by_template else "text")
        self.whole = whole = self.policy.templates.get(template_id, "") if by_template else self._own_text
        self.template = tags.parse_final(whole) if self.roles.final else tags.parse_template(whole)
        self.strangers: tuple[str, ...] = ()
        self.sent = self.shown = whole
        if isinstance(self.template, tags.Template):
            self._expand(self.template, whole)
        #: whether every tag of the text was understood
        self.is_expanded = isinstance(self.template, tags.Template) and not self.strangers
        self.is_blank = text.is_blank(self.shown)

    def given(self, role: str) -> str:
        """Return the cell that plays ``role`` as it was given; empty where no column does."""
        return self._given.get(role, "")

    @property
    def has_template_id(self) -> bool:
        """Say whether the row names a template of the gateway."""
        return bool(self.given("template_id").strip())

    @property
    def has_text(self) -> bool:
        """Say whether the row has a text of its own, or the list one for all."""
        return self.roles.common_text is not None or bool(self.given("text").strip())

    @property
    def worded(self) -> tuple[str, ...]:
        """Return the fields besides the text that have to be sayable."""
        return (*tags.INFO_TAGS, *(("memo",) if self.policy.shift_jis else ()))

    @property
    def _own_text(self) -> str:
        return self.given("text") if self.roles.common_text is None else self.roles.common_text

    @property
    def used_tags(self) -> tuple[str, ...]:
        """Return the tags of a text that was understood, in order."""
        return self.template.tags if self.is_expanded and isinstance(self.template, tags.Template) else ()

    @property
    def is_hollow(self) -> bool:
        """Say whether nothing comes in the place of a tag, though the text was understood."""
        cells = {**self.cells, **self.info}
        return any(not cells.get(tag, "") for tag in self.used_tags if tag not in tags.LINK_TAGS)

    @cached_property
    def value_tag(self) -> str:
        """Name a gateway tag that a value brought with it, or nothing.

        More gateway tags stand in what is sent than the template had, or one is left in what the recipient sees.
        """
        if "{" not in self.shown and "{" not in self.sent:
            return ""
        in_sent, in_shown = re.findall(tags.GATEWAY_TAG, self.sent), re.findall(tags.GATEWAY_TAG, self.shown)
        expected = sum(tag in tags.LINK_TAGS or tag in tags.INFO_TAGS for tag in self.used_tags)
        return str((in_shown or in_sent)[0])[1:-1] if in_shown or len(in_sent) > expected else ""

    @cached_property
    def is_sayable(self) -> bool:
        """Say whether the text, after tags, has content and only characters that can be sent."""
        return (
            self.is_expanded
            and not self.is_blank
            and not self.value_tag
            and text.is_sendable(self.shown)
            and (self.sent == self.shown or text.is_sendable(self.sent))
        )

    @cached_property
    def length(self) -> Length:
        """Return what the gateway counts of the text."""
        return text.measure(self.shown, line_break=self.policy.limits.line_break)

    def _read_scheduled(self) -> datetime | None:
        given = self.given("scheduled").strip()
        moment = read_minute(given) if given else None
        if moment and not is_of_gateway(given):
            after = moment.strftime(self.policy.scheduled_format)
            self._repaired(self.roles.name("scheduled"), self.given("scheduled"), after, ("senddatetime.form",))
        return moment

    def _expand(self, template: tags.Template, whole: str) -> None:
        used = dict.fromkeys(template.tags)
        self.strangers = tuple(tag for tag in template.tags if tag not in self.cells and tag not in tags.GATEWAY_TAGS)
        if self.strangers:
            return
        replacements = self.policy.replacements
        if replacements or text.needs_repair(whole):
            pairs = [text.repair_text(literal, replacements) for literal in template.literals]
            template = tags.Template(tuple(literal for literal, _ in pairs), template.tags)
            if self.roles.common_text is None:
                rules = tuple(dict.fromkeys(rule for _, named in pairs for rule in named))
                self._repaired(self.roles.name("text"), whole, template.fill({}), rules)
        if not used:
            self.sent = self.shown = self._settled(template.literals[0])
            return
        own = {tag: self._clean(tag) for tag in used if tag not in tags.GATEWAY_TAGS}
        self.sent = self.shown = self._settled(template.fill(own))
        if len(own) < len(used):
            links = dict.fromkeys(tags.LINK_TAGS, tags.LINK_CHARACTER * self.policy.limits.short_link)
            info = {tag: self.info.get(tag, "") for tag in tags.INFO_TAGS}
            self.shown = text.repair_text(template.fill(own | links | info), replacements)[0]

    def _settled(self, joined: str) -> str:
        """Repair what only came about by joining: a kana at the end of one piece, its voicing mark in the next."""
        settled, rules = text.repair_text(joined, self.policy.replacements)
        self._repaired(self.roles.name("text"), joined, settled, rules)
        return settled

    def _clean(self, column: str) -> str:
        """Return a cell that becomes part of a text, repaired."""
        before = self.cells[column]
        after, rules = text.repair_text(before, self.policy.replacements)
        self._repaired(column, before, after, rules)
        return after

    def _repaired(self, column: str, before: str, after: str, rules: tuple[str, ...]) -> None:
        new = [Repair(self.number, column, rule, before, after) for rule in rules if before != after]
        self.repairs += [repair for repair in new if repair not in self.repairs]
