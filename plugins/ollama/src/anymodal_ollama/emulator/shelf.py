"""The models of the emulated server: those that it has, and those that it can pull."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final, cast

import attrs
from anymodal_emulator.app import Memory, RefusedError

__all__ = ["PULLABLE", "Model", "full_name", "have", "keep", "model_called"]


@attrs.frozen(kw_only=True)
class Model:
    """
    A model.

    Attributes:
        name: With its tag.
        family: Its architecture.
        size: Label of its number of parameters.
        bytes: What it takes on the disk.
        context: The most tokens that it takes.
        capabilities: As `/api/show` has them.
        thinking: What `think` may be, the default first.
        dimensions: How many numbers its vectors have.
    """

    name: str
    family: str
    size: str
    bytes: int
    context: int
    capabilities: tuple[str, ...]
    thinking: tuple[bool | str, ...] = ()
    dimensions: int = 2_048

    @property
    def digest(self) -> str:
        """What tells its contents from others."""
        return hashlib.sha256(self.name.encode()).hexdigest()

    def details(self) -> dict[str, object]:
        """Return what both `/api/tags` and `/api/show` have of it."""
        return {
            "parent_model": "",
            "format": "gguf",
            "family": self.family,
            "families": [self.family],
            "parameter_size": self.size,
            "quantization_level": "Q4_K_M",
        }


_ALL: Final = (
    Model(
        name="qwen3:8b",
        family="qwen3",
        size="8.2B",
        bytes=5_225_388_164,
        context=40_960,
        capabilities=("completion", "tools", "thinking"),
        thinking=(True, False),
    ),
    Model(
        name="gpt-oss:20b",
        family="gptoss",
        size="20.9B",
        bytes=13_793_441_244,
        context=131_072,
        capabilities=("completion", "tools", "thinking"),
        thinking=("medium", "low", "high"),
    ),
    Model(
        name="gemma3:4b",
        family="gemma3",
        size="4.3B",
        bytes=3_338_801_804,
        context=131_072,
        capabilities=("completion", "vision"),
    ),
    Model(
        name="llama3.2:latest",
        family="llama",
        size="3.2B",
        bytes=2_019_393_189,
        context=131_072,
        capabilities=("completion", "tools"),
    ),
    Model(
        name="nomic-embed-text:latest",
        family="nomic-bert",
        size="137M",
        bytes=274_302_450,
        context=2_048,
        capabilities=("embedding",),
        dimensions=768,
    ),
)
_KEPT: Final = "models pulled"

PULLABLE: Final[Mapping[str, Model]] = {
    model.name: model
    for model in (
        *_ALL,
        Model(
            name="tinyllama:latest",
            family="llama",
            size="1B",
            bytes=637_700_138,
            context=2_048,
            capabilities=("completion",),
        ),
    )
}


def full_name(name: str) -> str:
    """Return *name* with its tag."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def have(memory: Memory) -> dict[str, Model]:
    """Return the models that the server has, by name."""
    found = memory.kept.setdefault(_KEPT, {model.name: model for model in _ALL})
    return cast("dict[str, Model]", found)


def keep(memory: Memory, model: Model) -> None:
    """Put a model that was pulled to the others."""
    have(memory)[model.name] = model


def model_called(name: str, memory: Memory) -> Model:
    """
    Return the model called *name*.

    Raises:
        RefusedError: It was not pulled.
    """
    found = have(memory).get(full_name(name))
    if found is None:
        raise RefusedError(kind="no_model", got=name)
    return found
