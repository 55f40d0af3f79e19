"""What the energy certificate of a home takes away from the indexation of its rent, since the end of 2022.

Four legislators limited the indexation of homes with a poor label for one year each, of leases that were in force when
this year began; every such lease has exactly one anniversary inside it. What became of these rents afterwards differs:

- Brussels and Flanders multiply every later rent by a factor, made from the indices of two months;
- Wallonia and the German-speaking Community (nine municipalities inside Wallonia, with a decree of their own) take the
  rent of that year as a new base rent, and the month before its anniversary as the new starting month.

The four are data (`REGIMES`), with their sources; what was inferred and not read stands in `inferred_limit` and
`inferred_after`, which answers repeat. The Constitutional Court upheld the law of Flanders on 21 March 2024 (and
extended it to student leases), that of Brussels by 63/2024 and that of Wallonia by 64/2024, both of 20 June 2024. No
repeal was found by November 2026.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from domain.errors import LogicalError
from domain.health_index.indexation import check_amount
from domain.leases.rent import Region, latest_anniversary


@dataclass(eq=False)
class NoSuchLabel(LogicalError):
    label: str
    region: Region
    known: tuple[str, ...]

    def __str__(self) -> str:
        where, known = self.region.in_words, ", ".join(self.known)
        return f"Energy label {self.label} does not exist in {where}: labels there are {known}"


@dataclass(eq=False)
class NotIndexable(LogicalError):
    """`since` is the day from which on an anniversary gives no right to indexation without a certificate."""

    region: Region
    anniversary: date
    since: date

    def __str__(self) -> str:
        return (
            f"The rent of a home without an energy certificate cannot be indexed in {self.region.in_words} on the "
            f"anniversary {self.anniversary}: since {self.since} the tenant must have been given a certificate, "
            "and the lease must be registered"
        )


@dataclass(eq=False)
class MeaninglessRentBefore(LogicalError):
    reason: str

    def __str__(self) -> str:
        return f"The rent paid before the anniversary has no meaning here: {self.reason}"


class EnergyLabel(StrEnum):
    """The label of the certificate at hand, best first. `none`: there is no certificate, or it has expired."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"
    G = "G"
    NONE = "none"


class Afterwards(StrEnum):
    """How a regime goes on after its restriction year: a factor on the whole, or a new start from that year's rent."""

    FACTOR = "factor"
    NEW_START = "new start"


@dataclass(frozen=True, slots=True)
class Regime:
    """The law of one legislator.

    The restriction year lasts from `first` to `last`, both included; leases in force before `first` are concerned.
    `shares` says for each label that exists there which share of the ordinary rise its rent could take in that year.
    `paid_rent_counts`: that rise starts from the rent really paid, and not from that by the ordinary rule.
    `certificate_required`: without a certificate no anniversary from `first` on gives a right to indexation, whenever
    the lease began. `conditions` are facts of the law that nobody can compute, each with the first anniversary for
    which they hold. `inferred_limit` and `inferred_after` say what of the two phases was read in no source; empty where
    all was.
    """

    region: Region
    name: str
    first: date
    last: date
    shares: Mapping[EnergyLabel, Fraction]
    afterwards: Afterwards
    limit_source: str
    after_source: str
    conditions: tuple[tuple[date, str], ...]
    inferred_limit: str
    inferred_after: str
    paid_rent_counts: bool = False
    certificate_required: bool = False

    def share(self, label: EnergyLabel) -> Fraction:
        """The share of the ordinary rise that a label allowed in the restriction year; 1 for a good label.

        :raises NoSuchLabel: for a label that does not exist in this region
        """
        share = self.shares.get(label)
        if share is None:
            raise NoSuchLabel(label, self.region, tuple(self.shares))
        return share

    def limited_anniversary(self, starts_on: date) -> date | None:
        """The anniversary in the restriction year of a lease that entered into force on a day; None for a later one."""
        return latest_anniversary(starts_on, self.last) if starts_on < self.first else None

    def check_label(self, label: EnergyLabel | None, anniversary: date) -> None:
        """Refuse what gives no right to indexation on an anniversary, by the label of the certificate at hand.

        :raises NoSuchLabel: for a label that does not exist in this region
        :raises NotIndexable: for no certificate where one is required
        """
        if label is not None:
            self.share(label)
        if label is EnergyLabel.NONE and self.certificate_required and anniversary >= self.first:
            raise NotIndexable(self.region, anniversary, self.first)

    def check_rent_before(self, paid: Decimal | None, starts_on: date, first: date, last: date) -> None:
        """Refuse a rent paid before the anniversary in the restriction year where nothing follows from it.

        The anniversaries asked about are those from `first` to `last`.

        :raises InvalidAmount: for a rent that is no amount
        :raises MeaninglessRentBefore: where that anniversary is not among them, or the law looks at another rent
        """
        if paid is None:
            return
        check_amount(paid)
        limited_on = self.limited_anniversary(starts_on)
        if not self.paid_rent_counts:
            reason = f"in {self.name} the law starts from the rent by the ordinary rule, whatever was paid"
        elif limited_on is None:
            reason = f"in {self.name} leases in force from {self.first} on are not limited"
        elif not first <= limited_on <= last:
            reason = f"it counts on the anniversary {limited_on} alone, in the restriction year of {self.name}"
        else:
            return
        raise MeaninglessRentBefore(reason)


def _shares(text: str) -> Mapping[EnergyLabel, Fraction]:
    """Percentages by label, such as `A 100, D 50, none 0`."""
    pairs = (part.split() for part in text.split(","))
    return MappingProxyType({EnergyLabel(label): Fraction(int(percent), 100) for label, percent in pairs})


_FROM_A_YEAR_BEFORE = (
    "Inferred from the factor that followed: the rise starts from the rent of a year before by the ordinary rule."
)
_OF_THE_LABEL_AT_HAND = (
    "Inferred: a better certificate that is still limited takes the factor of its own label; only that a good one ends "
    "the correction was read."
)
_WHETHER_A_BETTER_ONE_ENDS_IT = (
    "Not read in any source: whether a better certificate ends this; a good label at hand is taken to mean that the "
    "rent was never limited."
)

REGIMES: Mapping[Region, Regime] = MappingProxyType(
    {
        Region.BRUSSELS: Regime(
            region=Region.BRUSSELS,
            name="Brussels",
            first=date(2022, 10, 14),
            last=date(2023, 10, 13),
            shares=_shares("A 100, B 100, C 100, D 100, E 50, F 0, G 0, none 0"),
            afterwards=Afterwards.FACTOR,
            limit_source="logement.brussels; Constitutional Court 63/2024",
            # logement.brussels, dewaele.com, meuleman-loeters.be; 26 of 26 published factors come out to nine decimals.
            after_source="logement.brussels; indexatiehulp.be, reviewed on 10 June 2026",
            conditions=(
                (date(2022, 10, 14), "the lease must be registered (Brussels, since 14 October 2022)"),
                (
                    date(2022, 10, 14),
                    "the tenant must have been given the energy certificate (Brussels, since 14 October 2022)",
                ),
            ),
            inferred_limit=_FROM_A_YEAR_BEFORE,
            inferred_after=_OF_THE_LABEL_AT_HAND,
            certificate_required=True,
        ),
        Region.FLANDERS: Regime(
            region=Region.FLANDERS,
            name="Flanders",
            first=date(2022, 10, 1),
            last=date(2023, 9, 30),
            shares=_shares("A 100, B 100, C 100, D 50, E 0, F 0, none 0"),
            afterwards=Afterwards.FACTOR,
            # Article 3 was read at agripress.be and etaamb (2022033702); so say CIB and the agency (10 October 2022).
            limit_source="Flemish decree of 3 October 2022, article 3; Constitutional Court, 21 March 2024",
            after_source="vlaanderen.be",
            conditions=(),
            inferred_limit="",
            inferred_after=_OF_THE_LABEL_AT_HAND,
            paid_rent_counts=True,
        ),
        Region.WALLONIA: Regime(
            region=Region.WALLONIA,
            name="Wallonia",
            first=date(2022, 11, 1),
            last=date(2023, 10, 31),
            shares=_shares("A 100, B 100, C 100, D 75, E 50, F 0, G 0, none 0"),
            afterwards=Afterwards.NEW_START,
            # The example of SPW Logement (immoks.be), recomputed to the cent.
            limit_source="Walloon decree of 19 October 2022; Constitutional Court 64/2024",
            after_source="Walloon decree of 19 October 2022; energieinfowallonie.be, 5 October 2023",
            conditions=((date(2018, 9, 1), "the lease must be registered (Wallonia, since 1 September 2018)"),),
            inferred_limit="",
            inferred_after=_WHETHER_A_BETTER_ONE_ENDS_IT,
        ),
        Region.GERMAN_SPEAKING_COMMUNITY: Regime(
            region=Region.GERMAN_SPEAKING_COMMUNITY,
            name="the German-speaking Community",
            first=date(2023, 1, 1),
            last=date(2023, 12, 31),
            shares=_shares("A 100, B 100, C 100, D 100, E 50, F 0, G 0, none 0"),
            afterwards=Afterwards.NEW_START,
            # grenzecho.net, 20 December 2023; brf.be/regional/1786019; vsz.be: the rent of 2022 by the ordinary rule,
            # even if it was not indexed then.
            limit_source="programme decree of the German-speaking Community of 2022 (vsz.be)",
            after_source="programme decree of the German-speaking Community of 2022 (verbraucherschutzzentrale.be)",
            conditions=((date(2023, 1, 1), "the lease must be registered (German-speaking Community)"),),
            inferred_limit=(
                "Inferred: the anniversary is that of the entry into force; the sources contradict each other on it."
            ),
            inferred_after=(
                "Inferred: the anniversary is that of the entry into force; the sources contradict each other on it. "
                + _WHETHER_A_BETTER_ONE_ENDS_IT
            ),
        ),
    }
)
"""The four laws. Scope: main residences; in Flanders student leases too; not social housing."""
