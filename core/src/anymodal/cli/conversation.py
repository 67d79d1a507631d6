"""A conversation, and what a person may do with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from .. import errors as e
from ..client import Client
from ..facades.chat import Chat
from ..loops import KeptLoop
from ..media import Media
from ..modalities.messages import Message, Part, Prompt, ToolResult
from ..modalities.text import TextResult
from .asking import attached, choice
from .ending import run_kept
from .output import Stdout, note
from .saved import restored, save
from .telling import tell

__all__ = ["Conversation"]


class Conversation:
    """
    A conversation, and what a person may do with it.

    Args:
        client: An entered client.
        loop: The loop that it was entered in.
        out: Where the answers go.
        models: Who is asked, in order of preference.
        system: The system prompt.
        streams: Whether answers are written as they come.
        is_verbose: Whether warnings and cost are told.

    Attributes:
        attached: Goes along with what is said next.
        save_to: Where the conversation is saved after every answer.

    Raises:
        AnymodalError: Nobody serves any of *models*.
    """

    def __init__(
        self,
        client: Client,
        loop: KeptLoop,
        out: Stdout,
        *,
        models: Sequence[str] = (),
        system: str | None = None,
        streams: bool = True,
        is_verbose: bool = False,
    ) -> None:
        self._client = client
        self._loop = loop
        self._out = out
        self._system = system
        self._streams = streams
        self._is_verbose = is_verbose
        self._unanswered: Prompt | None = None
        self._models = self._served(models)
        self._chat = self._begun()
        self.attached: list[Media] = []
        self.save_to: Path | None = None

    def _served(self, models: Sequence[str]) -> Sequence[str]:
        """Return *models*; that there is nobody is better known before something is said."""
        names: Sequence[str | None] = models or [None]
        decisions = [self._client.registry.explain(name) for name in names]
        errors = [one.error for one in decisions if one.error is not None]
        if len(errors) == len(decisions):
            raise errors[0]
        return models

    def _begun(self, restore: Mapping[str, object] | None = None) -> Chat:
        return self._client.text.chat(
            model=choice(self._models), system=self._system, restore=restore
        )

    # -- what is said --------------------------------------------------------------------------

    def say(self, words: str) -> None:
        """
        Say *words*, with what was attached, and write the answer.

        Raises:
            AnymodalError: There is none. The conversation is as it was before.
            KeyboardInterrupt: It was stopped. What was said until then stays.
        """
        prompt: list[Part] = [*self.attached, words]
        self.attached = []
        self._ask(prompt, list(self._chat.messages))

    def retry(self, words: str = "") -> None:  # noqa: ARG002  # commands are called alike
        """
        Ask again what was asked last; the answer that it had is forgotten.

        Raises:
            AnymodalError: As `say` does.
        """
        kept = list(self._chat.messages)
        prompt = self._unanswered
        if prompt is None:
            place = _last_said(kept)
            prompt = kept[place]
            del self._chat.messages[place:]
        self._ask(prompt, kept)

    def _ask(self, prompt: Prompt, kept: list[Message]) -> None:
        """
        Ask *prompt* and write the answer.

        The conversation is *kept* if that fails: a turn that the vendor refuses
        would be refused again with every later one.
        """
        try:
            result = run_kept(self._loop, self._answered(prompt))
        except Exception:
            self._chat.messages = kept
            self._unanswered = None if prompt in kept else prompt
            raise
        except KeyboardInterrupt:
            if self._out.is_terminal:
                self._out.write("\n")  # where Ctrl-C stands
            self._unanswered = None
            self._keep()
            raise
        finally:
            self._out.end_line(always=True)
        self._unanswered = None
        if self._is_verbose:
            tell(result.record)
        self._keep()

    async def _answered(self, prompt: Prompt) -> TextResult:
        if not self._streams:
            result = await self._chat.generate(prompt)
            self._out.say(result.text)
            return result
        async with self._chat.stream(prompt) as stream:
            async for piece in stream.text:
                self._out.say(piece)
            return await stream.result()

    # -- what is done ---------------------------------------------------------------------------

    def attach(self, words: str) -> None:
        """Send a file along with what is said next."""
        if not words:
            msg = "Say what: /attach FILE."
            raise e.InvalidRequestError(msg, field="attach")
        media = attached(Path(words).expanduser())
        self.attached.append(media)
        note(f"{media.name} ({media.media_type}) goes with what you say next.")

    def use(self, words: str) -> None:
        """Go on with other models, or tell which are asked now."""
        if words:
            self._models = self._served(words.split())
            messages = self._chat.messages
            self._chat = self._begun()
            self._chat.messages = messages
        else:
            note(", ".join(self._models) or "The default of the settings.")

    def save(self, words: str) -> None:
        """Save the conversation, now and after every answer."""
        path = Path(words).expanduser() if words else self.save_to
        if path is None:
            msg = "Say where: /save FILE."
            raise e.InvalidRequestError(msg, field="save")
        save(self._chat.dump(), path)
        self.save_to = path
        note(f"Saved in {path}, and again after every answer.")

    def resume(self, path: Path) -> None:
        """
        Go on from what was saved at *path*.

        Raises:
            InvalidRequestError: That is no conversation.
        """
        self._chat = self._begun(restored(path))

    def _keep(self) -> None:
        if self.save_to is not None:
            save(self._chat.dump(), self.save_to)


def _last_said(messages: Sequence[Message]) -> int:
    """Return the place of what a person said last; results of tools are nobody's words."""
    for place in range(len(messages) - 1, -1, -1):
        message = messages[place]
        said = [part for part in message.parts if not isinstance(part, ToolResult)]
        if message.role == "user" and said:
            return place
    msg = "Nothing was said yet."
    raise e.InvalidRequestError(msg, field="retry")
