"""What the ports' own values refuse."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from domain.health_index.figures import Figure, Month, Provenance
from domain.ports import Sighting

FIGURE = Figure(Month(2022, 4), 2013, Decimal("119.59"), Decimal("116.52"))


def test_a_sighting_is_of_a_published_figure_at_an_instant() -> None:
    assert Sighting(FIGURE, datetime(2022, 4, 28, tzinfo=UTC), "statbel").figure is FIGURE
    with pytest.raises(ValueError, match="aware"):
        Sighting(FIGURE, datetime(2022, 4, 28), "statbel")  # noqa: DTZ001 - that is what is refused


@pytest.mark.parametrize(
    "derived",
    [
        Figure(Month(2022, 4), 2013, Decimal("119.59"), provenance=Provenance.DERIVED),
        Figure(Month(2022, 4), 2013, Decimal("119.59"), Decimal("116.52"), smoothed_provenance=Provenance.DERIVED),
    ],
)
def test_nobody_has_seen_a_derived_figure(derived: Figure) -> None:
    with pytest.raises(ValueError, match="never published"):
        Sighting(derived, datetime(2022, 4, 28, tzinfo=UTC), "statbel")
