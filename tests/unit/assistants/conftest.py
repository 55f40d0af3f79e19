from collections.abc import AsyncIterator

import pytest
from tests.worlds import Application, make_transport
from tests.worlds.assistants import Assistant, assistant

from entrypoints.mcp.api import Belref
from entrypoints.mcp.tools import make_server


@pytest.fixture
async def tools(app: Application) -> AsyncIterator[Assistant]:
    """The tools over the application in memory, at the address that the documentation has."""
    async with (
        Belref("http://127.0.0.1:5000", transport=make_transport(app)) as belref,
        assistant(make_server(belref)) as found,
    ):
        yield found
