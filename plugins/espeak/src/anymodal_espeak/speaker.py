"""
Speaks with the library of the wheel `espeakng-loader`, as the program espeak-ng would.

It is started as a process of its own: the library is under the GPL, keeps its state in
globals, and can only be stopped together with its process. Functions and numbers are those
of `speak_lib.h` of eSpeak NG 1.52, read 2026-11-20.
"""

from __future__ import annotations

import argparse
import ctypes
import struct
import sys
from typing import Final

RETRIEVAL: Final = 1
RATE, VOLUME, PITCH, WORDGAP = 1, 2, 3, 7
UTF8: Final = 1
PHONEMES: Final = 0x100
END_PAUSE: Final = 0x1000


class Voice(ctypes.Structure):
    """`espeak_VOICE`."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


Take = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def main(words: list[str] | None = None) -> int:
    """Do what the program does with the same arguments; return its status."""
    parser = argparse.ArgumentParser()
    for name in ("-v", "-b", "-s", "-p", "-a", "-g"):
        parser.add_argument(name)
    for name in ("--stdin", "--stdout", "--voices"):
        parser.add_argument(name, action="store_true")
    said = parser.parse_args(words)
    import espeakng_loader  # type: ignore[import-untyped]  # noqa: PLC0415  # it has no types; only this process needs it

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(RETRIEVAL, 0, espeakng_loader.get_data_path().encode(), 0)
    if rate <= 0:
        sys.stderr.write("the library cannot be used\n")
        return 1
    if said.voices:
        _list(library)
        return 0
    wanted = Voice(languages=said.v.encode())  # a language's name is one too
    if library.espeak_SetVoiceByName(said.v.encode()) and library.espeak_SetVoiceByProperties(
        ctypes.byref(wanted)
    ):
        sys.stderr.write("Error: The specified espeak-ng voice does not exist.\n")
        return 1
    for number, value in ((RATE, said.s), (VOLUME, said.a), (PITCH, said.p), (WORDGAP, said.g)):
        if value is not None:
            library.espeak_SetParameter(number, int(value), 0)
    return _speak(library, rate)


def _speak(library: ctypes.CDLL, rate: int) -> int:
    out = sys.stdout.buffer
    form = struct.pack("<HHIIHH", 1, 1, rate, rate * 2, 2, 16)
    out.write(b"RIFF\x24\xf0\xff\x7fWAVEfmt \x10\0\0\0" + form + b"data\x00\xf0\xff\x7f")

    def take(samples: object, count: int, _: object) -> int:
        if samples and count:
            out.write(ctypes.string_at(samples, count * 2))  # type: ignore[arg-type]  # a pointer
            out.flush()
        return 0

    kept = Take(take)
    library.espeak_SetSynthCallback(kept)
    text = sys.stdin.buffer.read() + b"\0"
    flags = UTF8 | PHONEMES | END_PAUSE
    status: int = library.espeak_Synth(text, ctypes.c_size_t(len(text)), 0, 0, 0, flags, None, None)
    library.espeak_Synchronize()
    out.flush()
    return 1 if status else 0


def _list(library: ctypes.CDLL) -> None:
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(Voice))
    found = library.espeak_ListVoices(None)
    sys.stdout.write("Pty Language Age/Gender VoiceName File\n")
    for row in found:
        if not row:
            break
        voice = row.contents
        language = voice.languages[1:].decode()
        name = voice.name.decode().replace(" ", "_")
        gender = {1: "M", 2: "F"}.get(voice.gender, "-")
        sys.stdout.write(f"5 {language} --/{gender} {name} {voice.identifier.decode()}\n")


if __name__ == "__main__":
    sys.exit(main())
