"""Where faults of a modality are planted: plugins that offer a spec, and its vendor on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anymodal import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = "https://acme.example/models"
KEY = "sk-acme-0123456789abcdef"


def plugin(modality: str, made: Callable[[], Any], app: str, base_path: str = "") -> object:
    """Return an object with the hooks of a plugin."""

    def offered(self: object) -> list[Any]:
        return [made()]

    def emulators(self: object) -> list[Any]:
        from anymodal import EmulatorSpec

        return [EmulatorSpec(provider=made().id, app=app, key=KEY, base_path=base_path)]

    named = {f"anymodal_{modality}_providers": offered, "anymodal_emulators": emulators}
    methods = {name: hookimpl(method) for name, method in named.items()}
    return type("Plugin", (), {"__module__": __name__, **methods})()


class Bed:
    """
    Faulty plugins, by the faults' ids, beside a good one.

    Args:
        modality: The kind of work.
        spec: Makes the spec, of a `connect` and of fields.
        good: What is right, to begin with.
        app: The vendor on loopback.
        base_path: Where it serves.
    """

    def __init__(
        self, modality: str, spec: Callable[..., Any], good: Any, app: str, base_path: str = ""
    ) -> None:
        self.spec, self.good = spec, good
        self.plugins: dict[str, object] = {}
        self._place = (app, base_path)
        self.modality = modality

    def fine(self) -> object:
        """Return the plugin without a fault."""
        return plugin(self.modality, lambda: self.spec(self.good), *self._place)

    def plant(self, name: str, connect: Any = None, **changes: Any) -> None:
        """Plant a fault by a `connect` or by fields of the spec."""
        fields = {"backends": {"asyncio"}, **changes, "id": f"acme-{name}"}
        made = plugin(
            self.modality, lambda: self.spec(connect or self.good, **fields), *self._place
        )
        self.plugins[name] = made

    def planted(self, name: str, **changes: Any) -> Callable[[Any], Any]:
        """Plant the decorated provider."""

        def take(cls: Any) -> Any:
            self.plant(name, cls, **changes)
            return cls

        return take

    def suites(self, suite: type, module: str) -> dict[str, type]:
        """Return the tests: of the good one, and of each that is faulty."""
        good = type("TestGood", (suite,), {"provider": "acme", "plugins": (self.fine(),)})
        found = {"TestGood": good}
        for name, faulty in self.plugins.items():
            said = {"provider": f"acme-{name}", "plugins": (faulty,), "patience": 10.0}
            found[f"Test_{name}"] = type(f"Test_{name}", (suite,), {**said, "__module__": module})
        return found
