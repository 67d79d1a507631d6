"""
Where sound comes from and where it goes: microphones, speakers, and files in their place.

What gives sound is iterated over: a `Microphone` or a `WavReader`. What takes it has
`play`, `drain` and `flush`: a `Speaker` or a `WavWriter`. Both say by `format` how it is
packed, and are entered with `async with`. Microphones and speakers need the extra
`anymodal[devices]`.
"""

from .files import WavReader, WavWriter
from .microphone import Microphone
from .speaker import Speaker

__all__ = ["Microphone", "Speaker", "WavReader", "WavWriter"]
