"""Everything that a deployment promises."""

from entrypoints.verify import figures, protocol, risk
from entrypoints.verify.checks import Promise

PROMISES: dict[str, Promise] = {each.name: each for each in (*protocol.PROMISES, *figures.PROMISES, *risk.PROMISES)}
"""By name."""
