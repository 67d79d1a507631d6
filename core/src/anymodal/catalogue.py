"""What is known of models: the plugins' tables, and what the user's settings say over them."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import attrs

from .errors import SettingsError
from .pricing import PRICE_UNITS, Price, Prices
from .specs import Capabilities, Lifecycle, ModelSpec, ProviderSpec, words

__all__ = ["OfferedModel", "find", "is_free", "likeliest", "overridden", "suggestion", "table"]

Overrides = Mapping[str, Mapping[str, object]]


@attrs.frozen(kw_only=True)
class OfferedModel:
    """A model of a provider, the user's settings applied."""

    provider: str
    modality: str
    model: ModelSpec

    @property
    def name(self) -> str:
        """How to ask for exactly this one."""
        return f"{self.provider}/{self.model.id}"


def is_free(model: ModelSpec) -> bool:
    """Whether *model* is known to cost nothing, searches of the web aside, which one can leave."""
    prices = model.prices.items if model.prices else ()
    plain = [price.usd for price in prices if price.unit != "search"]
    return bool(plain) and not any(plain)


def table(spec: ProviderSpec[Any], overrides: Overrides) -> tuple[ModelSpec, ...]:
    """Return the models of *spec* as the user's settings have them."""
    return tuple(_overridden_by_any_name(spec, model, overrides) for model in spec.models)


def find(spec: ProviderSpec[Any], name: str, overrides: Overrides) -> ModelSpec:
    """
    Return the model of *spec* called *name*, by id or alias.

    One that the table does not have is made up, with `listed` False; what the
    settings say of it holds.
    """
    for model in table(spec, overrides):
        if name == model.id or name in model.aliases:
            return model
    where = f"{spec.id}/{name}"
    return overridden(ModelSpec(id=name, listed=False), overrides.get(where, {}), where)


def _overridden_by_any_name(
    spec: ProviderSpec[Any], model: ModelSpec, overrides: Overrides
) -> ModelSpec:
    for name in (*model.aliases, model.id):
        where = f"{spec.id}/{name}"
        model = overridden(model, overrides.get(where, {}), where)
    return model


def overridden(model: ModelSpec, fields: Mapping[str, object], where: str) -> ModelSpec:
    """
    Return *model* with *fields* in place of its own.

    Raises:
        SettingsError: A field is unknown or of the wrong type; all are named.
    """
    if not fields:
        return model
    faults: list[str] = []
    changes: dict[str, Any] = {}
    for name, value in fields.items():
        read = _READERS.get(name)
        if read is None:
            known = ", ".join(_READERS)
            faults.append(f'models."{where}".{name}: no such field; there are {known}.')
            continue
        try:
            changes[name] = read(value, model)
        except ArithmeticError:
            faults.append(f'models."{where}".{name}: a number of dollars is needed')
        except (TypeError, ValueError) as error:
            faults.append(f'models."{where}".{name}: {error}')
    if faults:
        raise SettingsError(faults)
    return attrs.evolve(model, **{"source": "settings", **changes})


def _capabilities(value: object, model: ModelSpec) -> Capabilities:
    if not isinstance(value, Mapping) or not all(isinstance(v, bool) for v in value.values()):
        msg = "a table of true and false is needed, such as { image_input = false }"
        raise TypeError(msg)
    said = Capabilities([k for k, v in value.items() if v], [k for k, v in value.items() if not v])
    return said.over(model.capabilities)


def _tokens(value: object, _: ModelSpec) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        msg = f"a number of tokens is needed, not {value!r}"
        raise TypeError(msg)
    return value


def _prices(value: object, _: ModelSpec) -> Prices:
    if not isinstance(value, Mapping):
        msg = "a table is needed, such as { input_token = 2, output_token = 10, per = 1000000 }"
        raise TypeError(msg)
    rest = dict(value)
    usual = {"per": rest.pop("per")} if "per" in rest else {}
    source, as_of = str(rest.pop("source", "settings")), rest.pop("as_of", None)
    day = as_of if isinstance(as_of, dt.date) else dt.datetime.now(dt.UTC).date()
    items = [
        _price(unit, {**usual, **one} if isinstance(one, Mapping) else {**usual, "usd": one})
        for unit, some in rest.items()
        for one in (some if isinstance(some, list) else [some])
    ]
    return Prices(items, source, day)


def _price(unit: str, fields: Mapping[str, Any]) -> Price:
    if unit not in PRICE_UNITS:
        msg = f"{unit!r} is no unit of a price; there are {', '.join(sorted(PRICE_UNITS))}"
        raise ValueError(msg)
    rest = dict(fields)
    return Price(unit, _dollars(rest.pop("usd", None)), **rest)


def _dollars(value: object) -> Decimal:
    found = None if isinstance(value, bool) else Decimal(str(value))
    if found is None or not found.is_finite():
        raise ArithmeticError
    return found


def _temperature(value: object, _: ModelSpec) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
        msg = f"a number from 0 up is needed, not {value!r}"
        raise TypeError(msg)
    return value


def _lifecycle(value: object, _: ModelSpec) -> Lifecycle:
    if not isinstance(value, Mapping):
        msg = 'a table is needed, such as { state = "deprecated" }'
        raise TypeError(msg)
    return Lifecycle(**value)


def _aliases(value: object, _: ModelSpec) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(alias, str) for alias in value):
        msg = "a list of strings is needed"
        raise TypeError(msg)
    return words(value)


def _text(value: object, _: ModelSpec) -> str:
    if not isinstance(value, str):
        msg = f"a string is needed, not {value!r}"
        raise TypeError(msg)
    return value


_READERS: Final[Mapping[str, Callable[[object, ModelSpec], object]]] = {
    "aliases": _aliases,
    "api": _text,
    "batch_prices": _prices,
    "capabilities": _capabilities,
    "context_tokens": _tokens,
    "lifecycle": _lifecycle,
    "max_output_tokens": _tokens,
    "prices": _prices,
    "source": _text,
    "temperature_max": _temperature,
}


# -- words for errors ---------------------------------------------------------------------


def likeliest(name: str, models: Sequence[OfferedModel], instances: Sequence[str]) -> str:
    """Return a sentence on what may have been meant by *name*, if anything is like it."""
    import difflib  # noqa: PLC0415  # only where something is wrong

    known = [one.name for one in models] + [one.model.id for one in models]
    close = difflib.get_close_matches(name, known, 1)
    close = close or difflib.get_close_matches(name.partition("/")[0], instances, 1)
    return f" Did you mean {close[0]!r}?" if close else ""


def suggestion(provider: str) -> str:
    """Return a sentence on what brings *provider*, if that is known."""
    from importlib.resources import files  # noqa: PLC0415  # 12 ms, for an error

    known = json.loads(files(__package__).joinpath("known.json").read_text("utf-8"))
    return f" Try: pip install {known[provider]}" if provider in known else ""
