"""Text from Mistral: the shared protocol, batches, and a list of models with what they can do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
from anymodal.connection import Connection
from anymodal.failures import request_id
from anymodal.http import parse_json, read
from anymodal.modalities.kinds import LiveModel, category
from anymodal.specs import Capabilities, Lifecycle, ModelSpec
from anymodal_openai_compatible.carrier import Carrier
from anymodal_openai_compatible.chat import ChatCodec
from anymodal_openai_compatible.frames import MALFORMED, malformed

from .batch import BatchingMistral
from .quirks import QUIRKS
from .sdk import sdk_carrier

__all__ = ["MistralProvider", "mistral_text", "model_of", "models_by"]

_NAMES: Final = {
    "audio": "audio_input",
    "function_calling": "function_calling",
    "reasoning": "reasoning",
    "vision": "image_input",
}
"""The vendor's words for abilities, and ours."""

_KINDS: Final = {
    "completion_chat": "text",
    "audio_transcription": "transcription",
    "audio_transcription_realtime": "transcription",
    "audio_speech": "speech",
}
"""What tells the kind of work; of several the first. Source: mistralai 3.7.0, `ModelCapabilities`."""


@attrs.frozen(eq=False, kw_only=True)
class MistralProvider(BatchingMistral):
    """Text from Mistral, whose list of models says more than names."""

    async def list_models(self) -> Sequence[ModelSpec]:
        """
        Ask the vendor which models it serves, of all kinds, and what they can do.

        Raises:
            VendorError: The vendor refused or failed.
        """
        return await models_by(self.carrier, self.provider)


async def models_by(carrier: Carrier, provider: str) -> Sequence[ModelSpec]:
    """
    Return the vendor's list of models, by way of *carrier*.

    Raises:
        VendorError: The vendor refused or failed.
    """
    reply = await carrier.send("GET", "/models", headers={})
    found = parse_json(await read(reply, provider), provider)
    try:
        rows = found["data"]  # type: ignore[index]  # what is no object raises what is caught
        return [model_of(row) for row in rows]
    except MALFORMED as error:
        raise malformed(provider, error, request_id(reply.headers)) from error


def model_of(row: Mapping[str, Any]) -> LiveModel:
    """Return what an entry of the vendor's list says of a model."""
    flags = row["capabilities"]
    kind = next((kind for flag, kind in _KINDS.items() if flags.get(flag)), None)
    modality = kind or category(row["id"]).modality
    if flags.get("completion_chat") is False and modality == "text":
        modality = None  # such as those that only fill gaps in code
    able = {name: flags.get(word) for word, name in _NAMES.items()} if modality == "text" else {}
    leaves = row.get("deprecation")
    lifecycle = Lifecycle()
    if leaves:
        lifecycle = Lifecycle(
            state="deprecated",
            retires_on=dt.datetime.fromisoformat(leaves).date(),
            replacement=row.get("deprecation_replacement_model"),
        )
    return LiveModel(
        id=row["id"],
        modality=modality,
        capabilities=Capabilities(
            [name for name, has in able.items() if has is True],
            [name for name, has in able.items() if has is False],
        ),
        context_tokens=row.get("max_context_length"),
        lifecycle=lifecycle,
        source="the vendor's own list",
    )


def mistral_text(connection: Connection) -> MistralProvider:
    """Return the provider for an instance."""
    codec = ChatCodec(connection.provider, QUIRKS, connection.scrub)
    return MistralProvider(
        provider=connection.provider,
        carrier=sdk_carrier(connection),
        choose=lambda _: codec,
        codecs=(codec,),
    )
