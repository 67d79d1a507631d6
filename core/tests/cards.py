"""A sound card without sound: what `sounddevice` shows of one, driven by a test."""

import threading

__all__ = ["FakeCards"]


class RefusedError(Exception):
    """What the library raises."""


class Status:
    def __init__(self, *, input_overflow=False):
        self.input_overflow = input_overflow


class FakeCard:
    """A stream; `call` is what PortAudio's own thread does."""

    def __init__(self, library, settings):
        self.library, self.settings = library, settings
        self.latency = library.latency
        self.is_started = self.is_closed = False

    def start(self):
        if self.library.start_fault is not None:
            raise self.library.start_fault
        self.is_started = True

    def close(self):
        self.is_closed = True
        self.settings["finished_callback"]()

    def call(self, data, *, overflow=False):
        """Run the callback in a thread, as the library does, and wait for it."""
        thread = self.begin(data, overflow=overflow)
        thread.join(10)
        assert not thread.is_alive()

    def begin(self, data, *, overflow=False):
        callback, status = self.settings["callback"], Status(input_overflow=overflow)
        thread = threading.Thread(target=callback, args=(data, 0, None, status), daemon=True)
        thread.start()
        return thread

    def wants(self, size):
        """Return what is played of the next *size* bytes."""
        out = bytearray(b"?" * size)
        self.call(out)
        assert size == len(out)
        return bytes(out)

    def stops(self):
        """Be unplugged."""
        thread = threading.Thread(target=self.settings["finished_callback"])
        thread.start()
        thread.join(10)


class FakeCards:
    """The library."""

    PortAudioError = RefusedError

    def __init__(self, *, latency=0.0, fault=None, start_fault=None):
        self.cards, self.latency = [], latency
        self.fault, self.start_fault = fault, start_fault

    def _make(self, settings):
        if self.fault is not None:
            raise self.fault
        self.cards.append(FakeCard(self, settings))
        return self.cards[-1]

    def RawInputStream(self, **settings):  # noqa: N802  # as the library has it
        return self._make(settings)

    def RawOutputStream(self, **settings):  # noqa: N802  # as above
        return self._make(settings)

    @property
    def card(self):
        return self.cards[-1]
