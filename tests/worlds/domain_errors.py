"""Every error of the domain, wherever it is declared."""

import pkgutil
from importlib import import_module

import domain
from domain.errors import DomainError

for module in pkgutil.walk_packages(domain.__path__, "domain."):
    import_module(module.name)


def every_error(of: type[DomainError] = DomainError) -> set[type[DomainError]]:
    """An error and all that are kinds of it."""
    return {of}.union(*(every_error(child) for child in of.__subclasses__()))
