"""The importers by name. An importer is found by its file in this folder; nothing lists them."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import trueup.importers
from trueup.importers.importer import Importer


@cache
def importers() -> Mapping[str, Importer]:
    """Every importer by its name, in the order of names."""
    found = {}
    for module in pkgutil.iter_modules(trueup.importers.__path__):
        declared = getattr(importlib.import_module(f"trueup.importers.{module.name}"), "IMPORTER", None)
        if isinstance(declared, Importer):
            found[declared.name] = declared
    return MappingProxyType(dict(sorted(found.items())))
