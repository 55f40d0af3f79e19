"""Everything that the pages say, in each language: one TOML file for each, read into one type that asks for every text.

A text that is missing, or one that is too many, fails when its file is read. What stands in braces is filled in.
"""

import tomllib
from functools import cache
from importlib.resources import files

import msgspec

DEFAULT_LANGUAGE = "en"
"""Of somebody whose browser asks for none of the others."""


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Texts that belong together."""


class Writing(Group, frozen=True):
    """How the language writes numbers, amounts and dates."""

    decimal: str
    group: str
    euro: str
    percent: str
    date: str
    first_day: str
    month: str
    months: list[str]


class Site(Group, frozen=True):
    """What stands on every page."""

    language: str
    title: str
    description: str
    skip: str
    sections: str
    languages: str
    index: str
    rent: str
    amount: str
    zipcode: str
    api: str
    source: str
    privacy: str
    machines: str
    copy: str
    copied: str
    as_json: str
    optional: str
    check_input: str
    unavailable: str
    unknown_parameter: str


class Front(Group, frozen=True):
    """The health index."""

    lead: str
    base: str
    base_years: str
    on_month: str
    on_year: str
    fresh: str
    due: str
    overdue: str
    read_on: str
    published: str
    derived: str
    estimated: str
    plot_title: str
    plot_description: str
    plot_older: str
    plot_hint: str
    table: str
    table_caption: str
    year: str
    calendar: str


class Amount(Group, frozen=True):
    """An amount between two months."""

    title: str
    lead: str
    amount: str
    first: str
    last: str
    month_hint: str
    submit: str
    answer: str
    change: str
    base_in_force: str
    base_common: str
    rounding: str


class Fraction(Group, frozen=True):
    """The drawn fraction, and the same in words."""

    words: str
    old_index: str
    new_index: str
    start_index: str
    base_rent: str
    amount: str
    result: str
    factor: str


class Zipcode(Group, frozen=True):
    """A zipcode."""

    title: str
    lead: str
    zipcode: str
    submit: str
    answer: str
    none: str
    withdrawn: str
    release: str


class Errors(Group, frozen=True):
    """What is wrong with what was given, and what would be right."""

    required: str
    amount: str
    amount_range: str
    month: str
    day: str
    zipcode: str
    base_year: str
    before_first_month: str
    not_yet_published: str
    no_figure: str


class Texts(Group, frozen=True):
    """Every text of one language."""

    writing: Writing
    site: Site
    front: Front
    amount: Amount
    fraction: Fraction
    zipcode: Zipcode
    errors: Errors


@cache
def texts_of(language: str) -> Texts:
    """The texts of one of `LANGUAGES`.

    :raises msgspec.ValidationError: where one is missing, or is none of ours
    """
    source = (files(__package__) / "texts" / f"{language}.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(source), Texts)
