"""Databases for tests: each is a copy of one that was migrated once, and each test has its own."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.servers.postgres import PostgresServer

from adapters.postgres.migrate import migrate


@dataclass(frozen=True)
class Database:
    """One database as three people see it; a DSN has the password in it."""

    name: str
    superuser: str
    owner: str
    service: str


@contextmanager
def postgres_superuser() -> Iterator[str]:
    """The DSN of a superuser: TEST_DB_DSN where it is given, else of a server that runs as long as the context."""
    given = os.environ.get("TEST_DB_DSN")
    if given:
        yield given
    else:
        with PostgresServer() as server:
            yield server.dsn


class Databases:
    """Makes databases on a server, under names of its own, so that others may use the server at the same time.

    Tables belong to a role that is no superuser; the service's role is a member of `belref_service` and nothing else.
    """

    def __init__(self, superuser: str) -> None:
        self._superuser = superuser
        self._connection = psycopg.connect(superuser, autocommit=True)
        self._prefix = f"belref_test_{secrets.token_hex(6)}"
        self._passwords = {role: secrets.token_urlsafe(12) for role in ("owner", "service")}
        self._made = 0

    def __enter__(self) -> Self:
        for role, options in (("owner", "CREATEROLE"), ("service", "")):
            statement = f"CREATE ROLE {{}} LOGIN NOSUPERUSER {options} PASSWORD {{}}"
            self._execute(statement, sql.Identifier(self._role(role)), sql.Literal(self._passwords[role]))
        migrate(self.empty("template").owner)
        self._execute("GRANT belref_service TO {}", sql.Identifier(self._role("service")))
        return self

    def __exit__(self, *_: object) -> None:
        self.drop(self._database("template"))
        for role in self._passwords:
            self._execute("DROP ROLE {}", sql.Identifier(self._role(role)))
        self._connection.close()

    def empty(self, name: str | None = None) -> Database:
        """A database without any table."""
        return self._create(name, "template1")

    def migrated(self) -> Database:
        """A database with tables and without any release."""
        return self._create(None, self._database("template").name)

    def drop(self, database: Database) -> None:
        self._execute("DROP DATABASE {} WITH (FORCE)", sql.Identifier(database.name))

    def _create(self, name: str | None, template: str) -> Database:
        self._made += 1
        database = self._database(name or str(self._made))
        names = (database.name, self._role("owner"), template)
        self._execute("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY file_copy", *map(sql.Identifier, names))
        return database

    def _database(self, suffix: str) -> Database:
        name = f"{self._prefix}_{suffix}"
        owner, service = (
            make_conninfo(self._superuser, dbname=name, user=self._role(role), password=password)
            for role, password in self._passwords.items()
        )
        return Database(name, make_conninfo(self._superuser, dbname=name), owner, service)

    def _role(self, role: str) -> str:
        return f"{self._prefix}_{role}"

    def _execute(self, statement: str, *parts: sql.Composable) -> None:
        self._connection.execute(sql.SQL(statement).format(*parts))


def password_of(dsn: str) -> str:
    return str(conninfo_to_dict(dsn)["password"])
