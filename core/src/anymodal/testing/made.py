"""The clauses of what is made: pictures, clips and sound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from .. import errors as e
from ..client import Client
from ..formats import of_kind, sniff
from ..media import Audio, Media
from ..policies import Policy, Retry
from ..specs import ModelSpec, supports
from .asking import NOTHING, Asking
from .clauses import clause, not_applicable
from .emulators import faults
from .failures import BROKEN
from .opening import flaw, is_bare
from .stage import Stage
from .text import FOREIGN

__all__ = ["THRICE", "Made"]

THRICE: Final = Policy(retry=Retry(attempts=3))
ENDLESS: Final = 1 << 40
"""Bytes: more than any vendor makes, and than any machine has memory."""

ELSEWHERE: Final = b"127.0.0.2:9"
"""A place within somebody's own network, where nobody listens."""

Pair = tuple[object, object]
"""Two values of a setting that cannot come to the same."""


class Made(Asking):
    """
    What was made, and what was asked for.

    Attributes:
        pairs: Settings that are tried, each with two values.
    """

    pairs: ClassVar[Mapping[str, Pair]] = NOTHING

    def media(self, result: Any) -> Media:
        """Return what *result* holds."""
        raise NotImplementedError

    def content(self, result: Any) -> bytes:
        """Return the bytes."""
        return self.media(result).read_bytes()

    def settings_tried(self) -> Mapping[str, Pair]:
        """Return `pairs`, or others where the plain call has others."""
        return self.pairs

    def can(self, capability: str) -> bool | None:
        """Return whether the model that is called has *capability*, as far as that is known."""
        spec = self.found().offer.spec
        name = self.model or self.found().offer.default_model or ""
        return supports(spec, spec.model(name) or ModelSpec(id=name or "any"), capability)

    def warned(self, result: Any) -> set[str]:
        """Return the settings that were warned of."""
        return {one.setting for one in self.record(result).warnings}

    async def made(self, ai: Client, stage: Stage, **more: object) -> Any:
        """Return the result of the plain call, with *more* settings."""
        return await self.ask(ai, stage.name, self.questions[0], more=more)

    # -- what comes ---------------------------------------------------------------------------

    @clause("made.opens", "works")
    async def test_it_opens(self, stage: Stage, ai: Client) -> None:
        """The bytes are what was asked for, and all of them: somebody opens the file."""
        media = self.media(await self.made(ai, stage))
        wrong = flaw(media)
        assert not wrong, (
            f"{stage.id} gave {media!r}, and {wrong}. Give the vendor's bytes as they are."
        )

    @clause("made.says-its-type", "honest")
    async def test_it_says_its_type(self, stage: Stage, ai: Client) -> None:
        """Its media type is that of its bytes: names of files and players go by it."""
        media = self.media(await self.made(ai, stage))
        said = media.media_type.partition(";")[0]
        found = of_kind(sniff(media.read_bytes()) or "", media.kind)
        if isinstance(media, Audio) and is_bare(media):
            found = found or said  # bare samples have no head to tell
        assert said == found, (
            f"{stage.id} says {said} of what is {found}. Leave media_type out, and it is read "
            "from the bytes."
        )

    @clause("made.is-at-hand", "works")
    async def test_it_is_at_hand(self, stage: Stage, ai: Client) -> None:
        """The bytes are there when the call returns: links of vendors die within minutes."""
        media = self.media(await self.made(ai, stage))
        assert media.url is None, (
            f"{stage.id} gave a link. Follow it: connection.http.download(url, …)."
        )

    @clause("made.is-bounded", "honest", needs_vendor=True)
    async def test_what_has_no_end_is_refused(self, stage: Stage, ai: Client) -> None:
        """What is larger than anything that is made is a TooLargeError, before memory is taken."""
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {{}}\r\ncontent-length: {ENDLESS}\r\n\r\n"
        media = self.media(await self.made(ai, stage))
        kind = media.media_type if stage.requests[-1].method == "GET" else "application/json"
        await self.play_last(stage, faults().Raw(head.format(kind).encode() + b"\0" * 99))
        error = await self.failure(self.ask, ai, stage)
        assert isinstance(error, e.TooLargeError), (
            f"{stage.id} was sent {ENDLESS} bytes and ended with {error!r}. Give "
            "connection.http.download or anymodal.http.read a limit."
        )

    @clause("made.link.leads-nowhere-else", "honest", needs_vendor=True)
    async def test_a_link_elsewhere_is_not_followed(self, stage: Stage, ai: Client) -> None:
        """A link in an answer that leads into somebody's own network is refused, and not called."""
        await self.made(ai, stage)
        assert stage.vendor
        place = urlsplit(stage.vendor.base_url).netloc.encode()
        led: list[bytes] = []

        def astray(_: int, piece: bytes) -> bytes:
            led.extend([piece] if place in piece else [])
            return piece.replace(place, ELSEWHERE)

        stage.play(faults().Rewrite(astray), times=len(stage.requests))
        error = await self.failure(self.ask, ai, stage)
        if not led:
            not_applicable(f"{stage.id}'s vendor answers without links")
        assert isinstance(error, e.MalformedReplyError), (
            f"{stage.id} was given a link to {ELSEWHERE.decode()} and ended with {error!r}. Follow "
            "links by connection.http.download, and send keys to the vendor's own hosts alone."
        )

    async def play_last(self, stage: Stage, fault: object) -> None:
        """Let *fault* befall the last of the requests that a plain call was just seen to make."""
        before = len(stage.requests) - 1
        if before:
            stage.play(faults().Rewrite(), times=before)
        stage.play(fault)

    # -- what goes out ------------------------------------------------------------------------

    @clause("made.prompt.arrives-whole", "works", needs_vendor=True)
    async def test_prompts_arrive_whole(self, stage: Stage, ai: Client) -> None:
        """Every character of a prompt reaches the vendor, whatever the language."""
        await self.ask(ai, stage.name, FOREIGN)
        assert stage.sent(FOREIGN), f"{stage.id} did not send {FOREIGN!r} as it is."

    @clause("made.setting.is-sent-or-warned-of", "honest")
    async def test_no_setting_is_dropped(self, stage: Stage, ai: Client) -> None:
        """A setting reaches the vendor, or there is a warning: silence is taken for a yes."""
        lost = [
            setting
            for setting, pair in self.settings_tried().items()
            if await self.is_dropped(setting, pair, stage, ai)
        ]
        assert not lost, (
            f"{stage.id} drops {', '.join(lost)} in silence. Send it, or say request.warn(…)."
        )

    async def is_dropped(self, setting: str, pair: Pair, stage: Stage, ai: Client) -> bool:
        """Whether neither a warning nor a difference tells two values of a setting apart."""
        one, again, other = [
            await self.trace(ai, stage, setting, value) for value in (pair[0], *pair)
        ]
        if None in {one, other}:
            return False
        if one != again:  # what it sends has something new in it each time
            return bool(stage.vendor) and not stage.sent(pair[1])
        return one == other

    async def trace(self, ai: Client, stage: Stage, setting: str, value: object) -> object:
        """Return what came of a value: what was sent, or what was made; None where warned of."""
        if stage.vendor:
            stage.vendor.clear()
        result = await self.made(ai, stage, **{setting: value})
        if setting in self.warned(result):
            return None
        if not stage.vendor:
            return self.content(result)
        first = stage.requests[0]
        return (first.path, first.query, first.body)

    @clause("made.setting.is-refused-where-strict", "honest")
    async def test_strict_callers_are_refused(self, stage: Stage, ai: Client) -> None:
        """Where the caller is strict, what would be warned of is refused and nothing is sent."""
        dropped = {
            setting: value
            for setting, (value, _) in self.settings_tried().items()
            if setting in self.warned(await self.made(ai, stage, **{setting: value}))
        }
        if not dropped:
            not_applicable(f"{stage.name} honours every setting")
        count, wrong = len(stage.requests), []
        for setting, value in dropped.items():
            more = {setting: value, "strict": True}
            error = await self.failure(self.ask, ai, stage, more=more)
            if not isinstance(error, e.RequestError):
                wrong.append(f"{setting} ended with {error!r}")
        assert not wrong, f"{stage.id} drops what a strict caller wants: {'; '.join(wrong)}."
        assert len(stage.requests) == count, f"{stage.id} asked its vendor before it refused."

    # -- what goes wrong ----------------------------------------------------------------------

    async def ends(self, ai: Client, stage: Stage, *words: str) -> list[Exception]:
        """Return the errors of prompts with magic words; of what an emulator knows of them."""
        found = []
        for word in words:
            try:
                await self.ask(ai, stage.name, f"A lamp. emulator:{word}")
            except Exception as error:  # noqa: BLE001  # whatever it is, it is looked at
                found.append(error)
        return found or not_applicable(
            f"the emulator of {stage.id} does not know emulator:{' or emulator:'.join(words)}"
        )

    @clause("made.error.of-a-filter", "honest", needs_vendor=True)
    async def test_a_filter_is_told(self, stage: Stage, ai: Client) -> None:
        """What the filter refuses, before or after, is a ContentFilteredError: nobody else is asked."""
        found = await self.ends(ai, stage, "filter", "block")
        wrong = [error for error in found if not isinstance(error, e.ContentFilteredError)]
        assert not wrong, (
            f"{stage.id} was refused by a filter and raised {wrong[0]!r}. Say so in the spec's "
            "`errors`, or by the state `filtered` of a job."
        )

    @clause("made.error.of-a-quota", "honest", needs_vendor=True)
    async def test_a_quota_is_told(self, stage: Stage, ai: Client) -> None:
        """An account that is used up is a QuotaExceededError: waiting does not help."""
        (error,) = await self.ends(ai, stage, "quota")
        assert isinstance(error, e.QuotaExceededError), (
            f"{stage.id}'s account is used up, and it raised {error!r}. Say so in `errors`."
        )

    @clause("made.error.of-a-lost-answer", "honest", needs_vendor=True)
    async def test_a_lost_answer_is_not_asked_for_again(self, stage: Stage, ai: Client) -> None:
        """A paid request whose answer is lost is not sent again, for it may be paid for twice."""
        await self.made(ai, stage)
        assert stage.vendor
        for fault in (faults().Reset(), faults().Reset(after_bytes=12)):
            stage.vendor.clear()
            stage.play(fault, times=3)
            error = await self.failure(self.ask, ai, stage, more={"policy": THRICE})
            sent = [one for one in stage.requests if one.method == "POST"]
            assert len(sent) == 1, (
                f"{stage.id} sent a paid request {len(sent)} times, because an answer was lost."
            )
            assert isinstance(error, BROKEN), f"{stage.id} made of a lost answer: {error!r}."
