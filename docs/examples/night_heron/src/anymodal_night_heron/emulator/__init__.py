"""
Night Heron on loopback, as strict as the vendor.

Each kind of work has a module here, which is served where it is there.
"""

from importlib import import_module
from pkgutil import iter_modules

from .app import app

__all__ = ["app"]

for _one in iter_modules(__path__, f"{__name__}."):
    import_module(_one.name)
