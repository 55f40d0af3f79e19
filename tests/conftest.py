import os

import pytest
from hypothesis import settings

# How long an example takes says something about the machine, not about the code.
# HYPOTHESIS_EXAMPLES=1000 makes a run as thorough as there is time.
settings.register_profile("belref", deadline=None, max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "50")))
settings.load_profile("belref")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
