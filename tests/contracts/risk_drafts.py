"""A few risk tables as drafts, any risk table, and how one is put into service."""

from hypothesis import strategies as st
from tests.worlds.risk_tables import draft, put_into_service

from domain.ports import ZipcodeRepository
from domain.risk.releases import Draft, Release
from domain.risk.tables import FIRST_ZIPCODE, LAST_ZIPCODE, RiskFactor, RiskRange, RiskTable

A, B, C = RiskFactor.A, RiskFactor.B, RiskFactor.C
ALL = frozenset(RiskFactor)

AUTUMN = draft(
    RiskTable(
        [
            RiskRange(1000, 1310, C),
            RiskRange(1315, 1315, B),
            RiskRange(1320, 1320, A),
            RiskRange(1321, 1332, A),  # beside the one before, and still a range of its own
            RiskRange(9000, 9999, B),
        ]
    ),
    "autumn.csv",
)
SPRING = draft(RiskTable([RiskRange(1311, 1314, A), RiskRange(1315, 1320, C)]), "spring; DROP TABLE releases; --é")
EVERY_NUMBER = draft(
    RiskTable(RiskRange(z, z, (A, B, C)[z % 3]) for z in range(FIRST_ZIPCODE, LAST_ZIPCODE + 1)), "every number"
)
EMPTY = draft(RiskTable(), "empty")
ALL_A, ALL_B = (draft(RiskTable([RiskRange(1000, 9999, factor)]), f"all {factor}") for factor in (A, B))


@st.composite
def tables(draw: st.DrawFn) -> RiskTable:
    """Any risk table, the empty one included."""
    bounds = st.lists(st.integers(FIRST_ZIPCODE, LAST_ZIPCODE), max_size=24, unique=True).map(sorted)
    cuts = draw(bounds.filter(lambda found: len(found) % 2 == 0))
    singles = draw(st.sets(st.sampled_from(cuts), max_size=3)) if cuts else set()
    factor = st.sampled_from(RiskFactor)
    pairs = zip(cuts[::2], cuts[1::2], strict=True)
    return RiskTable(RiskRange(a, a if a in singles else b, draw(factor)) for a, b in pairs)


async def serve(repository: ZipcodeRepository, wanted: Draft) -> Release:
    """Load a draft and put it into service."""
    return await put_into_service(repository, wanted.table, wanted.label)
