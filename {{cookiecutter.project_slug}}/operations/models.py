"""Imports every module of this package, so that a new operation needs no registration."""

from importlib import import_module
from pkgutil import iter_modules

import operations

NOT_MODELS = {"admin", "apps", "migrations", "models", "tests"}

for module in iter_modules(operations.__path__):
    if module.name not in NOT_MODELS and not module.name.startswith("_"):
        import_module(f"{operations.__name__}.{module.name}")
