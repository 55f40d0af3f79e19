"""What this machine gives the service: Python and its packages, file descriptors, a clock, a port."""

import errno
import importlib.metadata
import platform
import re
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.clock import BRUSSELS
from entrypoints.doctor.findings import Finding, failed, ok, warning
from entrypoints.settings import Settings
from entrypoints.verify.deployment import Deployment, NotAsPromisedError, UnreachableError

MOST_SKEW = timedelta(seconds=5)
"""Clocks that differ by more than this are not the same time any more."""

BESIDE_CLIENTS = 64
"""File descriptors beside those of clients: the pool, Redis, Statbel, listeners, logs and files."""

_SECOND = timedelta(seconds=1)
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OF_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
_ASKING = 2.0  # seconds for each step of a request to whoever listens on the port


# -- Python ----------------------------------------------------------------------------------------


def python_finding(requirements: Sequence[str], installed: Mapping[str, str]) -> Finding:
    """Which Python and which extras there are. `installed` has versions, by the names of packages."""
    extras: dict[str, bool] = {}
    missing = []
    for requirement in requirements:
        found = _REQUIREMENT.match(requirement)
        name = _normal(found[0]) if found else ""
        extra = _OF_EXTRA.search(requirement)
        if extra:
            extras[extra[1]] = extras.get(extra[1], True) and name in installed
        elif ";" not in requirement and name not in installed:  # other conditions are those of a platform
            missing.append(name)
    optional = ", ".join(f"{extra} {'installed' if there else 'not installed'}" for extra, there in extras.items())
    detail = f"{platform.python_implementation()} {platform.python_version()}"
    detail += f", belref {installed.get('belref', 'unknown')}, extras: {optional or 'there are none'}"
    if missing:
        advice = "install belref anew, with its requirements"
        return failed("python", f"{detail}; not installed: {', '.join(missing)}", advice)
    return ok("python", detail)


def look_at_packages() -> tuple[list[str], dict[str, str]]:
    """What belref requires, and which packages there are with which version."""
    installed = {_normal(each.name): each.version for each in importlib.metadata.distributions() if each.name}
    return importlib.metadata.requires("belref") or [], installed


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


# -- the clock -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HeardTime:
    """The time that somebody else told, and our own before asking and after the answer."""

    whose: str
    before: datetime
    told: datetime
    after: datetime

    @property
    def skew(self) -> timedelta:
        """How far our clock is ahead (or, negative, behind) for certain; a told time may lack its fraction."""
        if self.told + _SECOND < self.before:
            return self.before - self.told - _SECOND
        if self.told > self.after:
            return self.after - self.told
        return timedelta()


def clock_finding(heard: Sequence[HeardTime], now: datetime) -> Finding:
    """Whether our clock is right, as far as somebody told the time."""
    local = f"{now.astimezone(BRUSSELS):%Y-%m-%d %H:%M} in Brussels"
    wrong = [each for each in heard if abs(each.skew) > MOST_SKEW]
    if wrong:
        words = [
            f"{abs(each.skew).total_seconds():.0f} s {'ahead of' if each.skew > timedelta() else 'behind'} {each.whose}"
            for each in wrong
        ]
        return warning("clock", f"{local}: {', '.join(words)}", "set the clocks of both, for instance with chrony")
    if not heard:
        return ok("clock", f"{local}; nobody else told the time, so that it is not compared")
    return ok("clock", f"{local}, and {' and '.join(each.whose for each in heard)} agree{'s' * (len(heard) == 1)}")


# -- file descriptors ------------------------------------------------------------------------------


def descriptors_finding(limit: int | None, settings: Settings) -> Finding:
    """Whether there are enough for as many clients as the settings allow; no `limit` is no limit."""
    needed = settings.max_connections + BESIDE_CLIENTS
    if limit is not None and limit < needed:
        detail = f"{limit} here, and MAX_CONNECTIONS={settings.max_connections} needs {needed}"
        advice = f"raise the limit (ulimit -n {needed}; LimitNOFILE={needed} in a unit of systemd) or set a lower one"
        return warning("descriptors", detail, f"{advice} in MAX_CONNECTIONS")
    return ok("descriptors", f"{'no limit' if limit is None else limit} here, {needed} needed")


def descriptors_limit() -> int | None:
    """How many file descriptors a process that is started here may have; None for any number."""
    try:
        import resource  # noqa: PLC0415 - Windows does not have it
    except ImportError:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


# -- the port --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Port:
    """An address to listen on: why that does not work, and what `/health` says there, if belref answers."""

    host: str
    port: int
    refusal: OSError | None = None
    health: Mapping[str, Any] | None = None


def port_findings(port: Port, metrics: Port | None) -> list[Finding]:
    """Whether the service can listen where it should, or does so already."""
    found = [_port_finding("port", "PORT", port)]
    if metrics is not None:
        if port.health is not None and _taken(metrics):
            found.append(ok("metrics_port", f"{metrics.host}:{metrics.port} is taken, as belref runs"))
        else:
            found.append(_port_finding("metrics_port", "METRICS_PORT", metrics))
    return found


def _port_finding(name: str, setting: str, port: Port) -> Finding:
    where = f"{port.host}:{port.port}"
    if port.health is not None:
        return _running(name, where, port.health)
    if port.refusal is None:
        return ok(name, f"{where} is free" if port.port else "any that is free")
    if _taken(port):
        advice = f"stop that program, or set {setting} to a free port"
        return failed(name, f"another program than belref listens on {where}", advice)
    if port.refusal.errno == errno.EACCES:
        advice = f"set {setting} to 1024 or more, or give the service the right (CAP_NET_BIND_SERVICE)"
        return failed(name, f"{where} may not be used by this user", advice)
    advice = "set HOST to an address of this machine, or to 0.0.0.0 for all of them"
    return failed(name, f"{where} cannot be used: {port.refusal.strerror or port.refusal}", advice)


def _running(name: str, where: str, health: Mapping[str, Any]) -> Finding:
    status = health["status"]
    parts = [f"{part}: {check['detail']}" for part, check in health["checks"].items() if check["status"] != "UP"]
    detail = f"belref answers on {where} already, and is {'; '.join([status, *parts])}"
    if status == "UP":
        return ok(name, detail)
    advice = "see the lines below, and the log of that service"
    return warning(name, detail, advice) if status == "DEGRADED" else failed(name, detail, advice)


def _taken(port: Port) -> bool:
    return port.refusal is not None and port.refusal.errno == errno.EADDRINUSE


def look_at_port(host: str, port: int) -> Port:
    """Try an address without listening on it, and ask whoever listens there; this blocks for some seconds at most."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
            trial.bind(address)
    except OSError as error:
        return Port(host, port, error, _health(host, port) if error.errno == errno.EADDRINUSE else None)
    return Port(host, port)


def _health(host: str, port: int) -> Mapping[str, Any] | None:
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - it is asked, and not listened on
    deployment = Deployment(f"http://[{near}]:{port}" if ":" in near else f"http://{near}:{port}", timeout=_ASKING)
    try:
        with suppress(UnreachableError, NotAsPromisedError, LookupError, TypeError, AttributeError):
            health = deployment.get("/health").body
            if {"risk_table", "health_index"} <= health["checks"].keys() and isinstance(health["status"], str):
                return {
                    "status": health["status"],
                    "checks": {
                        part: {key: check[key] for key in ("status", "detail")}
                        for part, check in health["checks"].items()
                    },
                }
        return None
    finally:
        deployment.close()
