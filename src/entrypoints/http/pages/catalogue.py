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
    published: str
    derived: str
    estimated: str
    plot_title: str
    plot_description: str
    plot_older: str
    plot_hint: str
    table: str
    table_caption: str
    table_older: str
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
    """The names of what stands in a calculation."""

    old_index: str
    new_index: str
    start_index: str
    base_rent: str
    amount: str
    factor: str
    before: str
    share: str
    rise: str
    new_base: str


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
    no_place: str


class Rent(Group, frozen=True):
    """A rent."""

    title: str
    lead: str
    rent: str
    rent_hint: str
    zipcode: str
    region: str
    by_zipcode: str
    signed_on: str
    starts_on: str
    label: str
    no_label: str
    no_certificate: str
    rent_before: str
    rent_before_hint: str
    on: str
    on_hint: str
    more: str
    submit: str
    answer: str
    place: str
    label_given: str
    ordinary: str
    pending: str
    schedule: str
    plot_title: str
    plot_description: str
    plot_other: str
    anniversary: str
    new_index: str
    ordinary_rent: str
    lawful_rent: str
    labels: str
    labels_lead: str
    label_column: str
    difference: str
    this_label: str
    no_indexation: str
    letter_landlord: str
    letter_tenant: str
    brussels: str
    flanders: str
    wallonia: str
    german_speaking_community: str


class Law(Group, frozen=True):
    """Why a rent is what it is, and by which law."""

    title: str
    start_signature: str
    start_entry: str
    new_month: str
    later: str
    before: str
    unlimited: str
    limited: str
    corrected: str
    adapted: str
    unknown: str
    skip: str
    inferred: str
    registered: str
    certificate: str
    not_included: str
    source: str
    index_brussels: str
    index_flanders: str
    index_flanders_decree: str
    index_wallonia: str
    index_german_speaking_community: str
    energy_brussels: str
    energy_flanders: str
    energy_wallonia: str
    energy_german_speaking_community: str


class Letter(Group, frozen=True):
    """The letters about a rent, one A4 page each."""

    title_landlord: str
    title_tenant: str
    back: str
    print: str
    private: str
    your_name: str
    your_address: str
    their_name: str
    their_address: str
    home: str
    place_and_date: str
    dear: str
    landlord: str
    tenant: str
    old_rent: str
    base_rent: str
    start_index: str
    new_index: str
    energy: str
    formula: str
    law: str
    new_rent: str
    ask_landlord: str
    ask_tenant: str
    again: str
    closing: str
    signature: str


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
    date_range: str
    mixed_up: str
    too_old: str
    anniversary_ahead: str
    no_such_label: str
    not_indexable: str
    rent_before: str
    no_place: str
    several_regions: str
    region_mismatch: str
    place_needed: str
    choice: str
    language: str


class Texts(Group, frozen=True):
    """Every text of one language."""

    writing: Writing
    site: Site
    front: Front
    amount: Amount
    fraction: Fraction
    zipcode: Zipcode
    rent: Rent
    law: Law
    letter: Letter
    errors: Errors


@cache
def texts_of(language: str) -> Texts:
    """The texts of one of `LANGUAGES`.

    :raises msgspec.ValidationError: where one is missing, or is none of ours
    """
    source = (files(__package__) / "texts" / f"{language}.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(source), Texts)
