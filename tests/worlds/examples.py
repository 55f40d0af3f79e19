"""How many examples property tests try: fewer by default where each takes long, all of them under `make thorough`."""

from typing import Any

from hypothesis import HealthCheck, settings

_THOROUGH = "thorough"

# How long an example takes says something about the machine, not about the code. Fixtures serve all examples of a
# test, and contracts every class that inherits them: those tests leave nothing behind that the next example could see.
_SUPPRESSED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]


def register_profiles() -> None:
    """Make the profiles known, and load the quick one; `--hypothesis-profile` chooses another."""
    for name, examples in (("quick", 50), (_THOROUGH, 500)):
        settings.register_profile(name, deadline=None, max_examples=examples, suppress_health_check=_SUPPRESSED)
    settings.load_profile("quick")


def slow(examples: int, **others: Any) -> settings:
    """A quarter of these examples; all of them where thoroughness is asked for."""
    thorough = settings.get_current_profile_name() == _THOROUGH
    return settings(max_examples=examples if thorough else (examples + 3) // 4, **others)
