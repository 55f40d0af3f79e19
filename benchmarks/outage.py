"""What clients see while Redis and Postgres die and come back: `python -m benchmarks.outage [--seconds 20]`.

64 clients look zipcodes up without a pause. Meanwhile Redis is killed, then Postgres, then both come back. Every answer
is counted by the phase it fell into, and `/health` is asked at the end of each phase. Exits with 1 when any look-up
failed. All of it runs on this machine, and stops by itself.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from pathlib import Path

import httpx2
from tests.integration.service import running_service
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer

from adapters.postgres.migrate import migrate

CLIENTS = 64


class Observation:
    """The outcomes and the slowest answer of each phase."""

    def __init__(self) -> None:
        self.phase = "all up"
        self.outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.slowest: defaultdict[str, float] = defaultdict(float)

    def failures(self) -> int:
        """Look-ups that were answered with anything but 200."""
        return sum(count for outcomes in self.outcomes.values() for what, count in outcomes.items() if what != "200")


async def look_up_for_ever(client: httpx2.AsyncClient, observation: Observation, first: int) -> None:
    """One client; it starts at a zipcode of its own."""
    zipcode = first
    while True:
        zipcode = 1000 + (zipcode - 999) % 9000
        started = time.perf_counter()
        try:
            outcome = str((await client.get(f"/zipcodes/{zipcode}")).status_code)
        except httpx2.TransportError as error:
            outcome = type(error).__name__
        phase = observation.phase
        observation.outcomes[phase][outcome] += 1
        observation.slowest[phase] = max(observation.slowest[phase], time.perf_counter() - started)


async def run(url: str, postgres: PostgresServer, redis: RedisServer, seconds: float) -> Observation:
    """Go through the phases; `seconds` is how long Postgres is away, the other phases take a fifth of it."""
    observation = Observation()
    limits = httpx2.Limits(max_connections=CLIENTS + 1, max_keepalive_connections=CLIENTS + 1)
    async with httpx2.AsyncClient(base_url=url, limits=limits, timeout=10) as client:
        clients = [asyncio.create_task(look_up_for_ever(client, observation, 1000 + 137 * n)) for n in range(CLIENTS)]

        async def phase(name: str, length: float) -> None:
            observation.phase = name
            await asyncio.sleep(length)
            health = (await client.get("/health")).json()
            parts = ", ".join(f"{part} {check['status']}" for part, check in health["checks"].items())
            counts = dict(observation.outcomes[name])
            slowest = observation.slowest[name] * 1000
            print(f"{name:16} {counts!s:24} slowest {slowest:6.0f} ms   health {health['status']}: {parts}", flush=True)

        await phase("all up", seconds / 5)
        await asyncio.to_thread(redis.crash)
        await phase("no redis", seconds / 5)
        await asyncio.to_thread(postgres.crash)
        await phase("neither", seconds)
        await asyncio.to_thread(postgres.start)
        await asyncio.to_thread(redis.start)
        await phase("both back", max(seconds / 5, 8))  # Redis is left alone for five seconds after a failure
        for task in clients:
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
    return observation


def main() -> int:
    """Start everything, run, and say how many look-ups failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="how long Postgres is away")
    seconds = parser.parse_args().seconds
    with ExitStack() as stack:
        postgres, redis = stack.enter_context(PostgresServer()), stack.enter_context(RedisServer())
        migrate(postgres.dsn)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        service = stack.enter_context(
            running_service(
                folder,
                HEALTH_INDEX_SOURCE="snapshot",
                DB_DSN=postgres.dsn,
                REDIS_URL=redis.url,
                LOG_LEVEL="info",
            )
        )
        observation = asyncio.run(run(str(service.client.base_url), postgres, redis, seconds))
        total = sum(sum(outcomes.values()) for outcomes in observation.outcomes.values())
        print(f"{total} look-ups, {observation.failures()} failed")
    return 1 if observation.failures() else 0


if __name__ == "__main__":
    sys.exit(main())
