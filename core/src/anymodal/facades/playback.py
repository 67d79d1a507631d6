"""What of an answer's sound was given out, and what of it is not wanted any more."""

from __future__ import annotations

from ..errors import InvalidRequestError
from ..modalities.live import AudioFormat, AudioOut, ResponseDone
from ..modalities.realtime import Interrupt

__all__ = ["Playback"]


class Playback:
    """Keeps count of the sound that a caller was given."""

    def __init__(self) -> None:
        self._item_id: str | None = None
        self._size = 0
        self._cut_id: str | None = None
        self._is_cut = False

    def give(self, event: object) -> None:
        """Note that the caller was given *event*."""
        if isinstance(event, AudioOut):
            if event.item_id != self._item_id:
                self._item_id, self._size = event.item_id, 0
            self._size += len(event.data)

    def interrupt(self, played: float | None, packing: AudioFormat, *, is_owed: bool) -> Interrupt:
        """
        Drop from now on what comes of the answer, and return what the vendor is told.

        Args:
            played: Seconds that were heard; None for all that was given out.
            packing: How the sound is packed.
            is_owed: Whether the answer has not ended yet.

        Raises:
            InvalidRequestError: *played* is no number of seconds.
        """
        if played is not None and not (type(played) in {int, float} and played >= 0):
            msg = f"played: a number of seconds is needed, not {played!r}."
            raise InvalidRequestError(msg, field="played")
        given = packing.seconds(self._size)
        if played is None:
            played = given or 0.0
        elif given is not None:
            played = min(played, given)
        self._cut_id, self._is_cut = self._item_id, is_owed
        return Interrupt(self._item_id, played)

    def drops(self, event: object) -> bool:
        """Whether *event* is sound that nobody wants to hear any more."""
        if isinstance(event, ResponseDone):
            self._is_cut = False
        if not isinstance(event, AudioOut):
            return False
        return self._is_cut or (event.item_id is not None and event.item_id == self._cut_id)
