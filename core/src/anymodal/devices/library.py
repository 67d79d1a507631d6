"""The library `sounddevice`, which speaks to sound cards through PortAudio."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, Protocol, TypeAlias, cast

from ..errors import ConfigurationError, InvalidRequestError
from ..modalities.live import AudioFormat, AudioFormatLike

__all__ = ["Card", "Device", "SoundLibrary", "card_format", "held_bytes", "loaded", "opened"]

Device: TypeAlias = int | str
"""A device: its number, or words of its name. `python -m sounddevice` lists them."""

_TYPES: Final = {"pcm_s16le": "int16", "pcm_f32le": "float32"}


class Card(Protocol):
    """An open stream of the library."""

    latency: float

    def start(self) -> None: ...

    def close(self, ignore_errors: bool = ...) -> None: ...  # noqa: FBT001  # as the library has it


class SoundLibrary(Protocol):
    """What is used of `sounddevice`; tests bring their own."""

    PortAudioError: type[Exception]

    def RawInputStream(self, **settings: Any) -> Card: ...  # noqa: N802  # as the library has it

    def RawOutputStream(self, **settings: Any) -> Card: ...  # noqa: N802  # as above


def loaded(load: Callable[[str], object] = import_module) -> SoundLibrary:
    """
    Return the library.

    Args:
        load: Imports it.

    Raises:
        ConfigurationError: It is not installed, or PortAudio is not.
    """
    try:
        return cast("SoundLibrary", load("sounddevice"))
    except ImportError as error:
        msg = (
            "Microphones and speakers need the library sounddevice. "
            "Try: pip install 'anymodal[devices]'"
        )
        raise ConfigurationError(msg) from error
    except OSError as error:
        msg = (
            "The library sounddevice finds no PortAudio. It comes along on macOS and Windows; "
            "on Debian and its kin try: apt install libportaudio2"
        )
        raise ConfigurationError(msg) from error


def card_format(said: AudioFormatLike) -> AudioFormat:
    """
    Return how sound is packed that a card gives or takes.

    Raises:
        InvalidRequestError: Cards do not pack it so.
    """
    found = AudioFormat.parse(said)
    if found.encoding not in _TYPES:
        msg = f"format: devices give and take {' and '.join(_TYPES)}, not {found.encoding}."
        raise InvalidRequestError(msg, field="format")
    return found


def held_bytes(packing: AudioFormat, seconds: float, least: float) -> int:
    """
    Return the size of *seconds* of sound, which is what a device holds.

    Raises:
        InvalidRequestError: It is less than the *least* that a card gives or takes at a time.
    """
    if not least <= seconds < float("inf"):
        msg = f"held_seconds: {least:g} or more is needed, not {seconds!r}."
        raise InvalidRequestError(msg, field="held_seconds")
    return int(seconds * packing.rate) * packing.frame_bytes


def opened(
    library: SoundLibrary,
    make: Callable[..., Card],
    packing: AudioFormat,
    **settings: object,
) -> Card:
    """
    Open a stream and start it. It blocks, so it runs in a thread.

    Args:
        library: Where *make* is of.
        make: Makes the stream.
        packing: How the sound is packed.
        settings: Further ones of the stream.

    Raises:
        ConfigurationError: There is no such device, or it does not do that.
    """
    try:
        card = make(
            samplerate=packing.rate,
            channels=packing.channels,
            dtype=_TYPES[packing.encoding],
            **settings,
        )
    except (library.PortAudioError, ValueError) as error:
        raise _refused(error) from error
    try:
        card.start()
    except library.PortAudioError as error:
        card.close()
        raise _refused(error) from error
    return card


def _refused(error: Exception) -> ConfigurationError:
    said = error.args[0] if error.args else type(error).__name__
    msg = f"The sound device cannot be used: {said}. `python -m sounddevice` lists those there are."
    return ConfigurationError(msg)
