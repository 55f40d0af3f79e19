import pytest
from hypothesis import settings

# How long an example takes says something about the machine, not about the code.
settings.register_profile("belref", deadline=None)
settings.load_profile("belref")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
