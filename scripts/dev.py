"""`make dev`: the service on a real Postgres and a real Redis, without Docker, until Ctrl-C.

What it stores lives as long as it runs. Settings of the environment and of `.env` hold, except for the addresses.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer

from adapters.postgres.migrate import migrate
from entrypoints.settings import load_settings

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Start both servers, migrate, serve with reload, and clean up."""
    given = load_settings()
    with PostgresServer() as postgres, RedisServer() as redis:
        migrate(postgres.dsn)
        sys.stderr.write(f"Postgres at {postgres.dsn}\nRedis at {redis.url}\n")
        environment = {
            "ENVIRONMENT": "development",
            **os.environ,
            "DB_DSN": postgres.dsn,
            "REDIS_URL": redis.url,
        }
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "uvicorn", "--factory", "entrypoints.server:app"),
                *("--reload", "--reload-dir", ROOT / "src", "--no-access-log", "--no-server-header"),
                *("--host", given.host, "--port", str(given.port)),
            ],
            env=environment,
        )
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            return server.wait()
        except KeyboardInterrupt:  # after Ctrl-C it got the signal too, and ends by itself
            server.terminate()
            return server.wait(given.shutdown_seconds + 5)


if __name__ == "__main__":
    sys.exit(main())
