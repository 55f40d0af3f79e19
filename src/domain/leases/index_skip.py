"""The Walloon index skip of 2016 to 2018: rents followed the index of a year before.

By the Walloon decree of 3 March 2016, the new index of main residences that were let on 1 April 2016 was, for
anniversaries up to 31 March 2018, that of the ordinary month one year earlier: the thirteenth month before that of the
anniversary. The Constitutional Court annulled it (32/2018, 15 March 2018): what had fallen due by it stands, nothing is
owed for the past, and the ordinary rule is back from the first anniversary after 31 March 2018 (financesconnect.be;
droitsquotidiens.be, 4 April 2018; avocatdeliege.be; lebonbail.be quotes the decree). The nine German-speaking
municipalities were under this decree too; that is inferred from their own housing powers, which came later.
"""

from dataclasses import dataclass, replace
from datetime import date

from domain.health_index.indexation import FigureLookup, Indexation
from domain.leases.rent import Region, RentIndexation

SKIP_FIRST, SKIP_LAST = date(2016, 4, 1), date(2018, 3, 31)

_REGIONS = frozenset({Region.WALLONIA, Region.GERMAN_SPEAKING_COMMUNITY})


@dataclass(frozen=True, slots=True)
class SkippedIndex:
    """The rent by the index of a year before, and why."""

    indexation: Indexation
    rule: str


def skipped_index(figure: FigureLookup, ordinary: RentIndexation) -> SkippedIndex | None:
    """What the index skip made of the rent of a main residence; None where it does not reach.

    :raises LogicalError: as `figure` does
    """
    if not skips(ordinary.region, ordinary.starts_on, ordinary.anniversary):
        return None
    done = skip_index(figure, ordinary.indexation)
    here = (
        "" if ordinary.region is Region.WALLONIA else "; that it held in the German-speaking municipalities is inferred"
    )
    return SkippedIndex(
        done,
        f"{done.end.month} is the month one year before {ordinary.new_month}: the index skip for main residences let "
        f"on {SKIP_FIRST}, on anniversaries up to {SKIP_LAST} (Walloon decree of 3 March 2016; annulled by "
        f"Constitutional Court 32/2018, amounts already due stand{here})",
    )


def skips(region: Region, starts_on: date, anniversary: date) -> bool:
    """Whether the index skip decides the rent of a main residence on an anniversary."""
    return region in _REGIONS and starts_on <= SKIP_FIRST <= anniversary <= SKIP_LAST


def skip_index(figure: FigureLookup, ordinary: Indexation) -> Indexation:
    """The same amount by the index of a year before.

    :raises LogicalError: as `figure` does
    """
    return replace(ordinary, end=figure(ordinary.end.month.plus(-12), ordinary.base_year))
