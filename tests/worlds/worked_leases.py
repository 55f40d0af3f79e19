"""Worked examples of property managers, rent calculators and estate agents, named as they were gathered.

Where one gives no day of signature or no region, those that fit are tried; before 2019 the regions had one rule.
LOCALS-1 is of Locals Vastgoed, 31 August 2023, on rent indexation in Flanders.
"""

from typing import NamedTuple

import pytest


class Worked(NamedTuple):
    """A lease, the day asked about, and what is said of it."""

    name: str
    region: str
    rent: str
    signed_on: str
    starts_on: str
    on: str
    base_year: str
    starting_month: str
    start: str
    new_month: str
    end: str
    indexed: str

    @property
    def query(self) -> dict[str, str]:
        """The question, as it is asked over HTTP."""
        return {name: getattr(self, name) for name in ("region", "rent", "signed_on", "starts_on", "on")}


_TABLE = """
SMOVIN-1      brussels   500  2010-07-25  2010-09-01  2020-01-01  2004  2010-06  112.74  2019-08  131.72   584.18
SMOVINAPP-1   brussels   500  2021-12-01  2022-01-01  2023-01-01  2013  2021-11  115.20  2022-12  127.89   555.08
SMOVINAPP-1b  brussels   500  2021-12-31  2022-01-01  2023-01-01  2013  2021-11  115.20  2022-12  127.89   555.08
WEINVEST-1    brussels   600  2017-04-15  2017-05-01  2018-05-01  2013  2017-03  105.32  2018-04  106.89   608.94
WEINVEST-1b   flanders   600  2017-04-15  2017-05-01  2018-05-01  2013  2017-03  105.32  2018-04  106.89   608.94
WEINVEST-1c   wallonia   600  2017-04-15  2017-05-01  2018-05-01  2013  2017-03  105.32  2018-04  106.89   608.94
2747-1        brussels  1000  2002-03-01  2002-03-01  2003-03-01  1996  2002-02  110.09  2003-02  111.56  1013.35
TP-O          wallonia   800  2022-01-01  2022-02-17  2023-02-17  2013  2021-12  115.60  2023-01  128.00   885.81
LOCALS-1      flanders   750  2019-02-15  2019-03-01  2022-03-01  2013  2019-02  108.78  2022-02  118.74   818.67
"""

each_worked_lease = pytest.mark.parametrize(
    "worked", [Worked(*line.split()) for line in _TABLE.split("\n") if line], ids=lambda worked: worked.name
)
