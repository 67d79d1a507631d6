"""A host: it answers for many companies, each with keys, a budget and models of its own."""

from __future__ import annotations

from .house import House, Shown
from .reception import Reception
from .tenants import Tenant, tenancy, tenants_of

__all__ = ["House", "Reception", "Shown", "Tenant", "tenancy", "tenants_of"]
