"""
What a plugin may implement.

Hooks are plain functions without I/O, pure and repeatable: they say what exists
and connect nothing. They are called without arguments, in no promised order,
when something that the plugin may offer is first asked for, and each returns an
iterable. Offering nothing is fine.

What acts unasked (`anymodal_observers`, `anymodal_middleware`, `anymodal_secrets`,
`anymodal_stores`, `anymodal_resolve`) counts only where settings name the plugin,
`[plugins] use = ["acme-log"]`, in that order; or where the host brings the plugin
itself. Such an object is made when the plugin is loaded, named or not: it opens
nothing before it is used.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .markers import hookspec

if TYPE_CHECKING:
    from .modalities import Modality
    from .modalities.audio import AudioProviderSpec
    from .modalities.embedding import EmbeddingProviderSpec
    from .modalities.image import ImageProviderSpec
    from .modalities.realtime import RealtimeProviderSpec
    from .modalities.retrieval import RetrievalProviderSpec
    from .modalities.speech import SpeechProviderSpec
    from .modalities.text import TextProviderSpec
    from .modalities.transcription import TranscriptionProviderSpec
    from .modalities.video import VideoProviderSpec
    from .resolution import Query
    from .secrets import SecretSource
    from .specs import CommandSpec, EmulatorSpec
    from .stores import Store

# mypy: disable-error-code="empty-body"


@hookspec
def anymodal_text_providers() -> Iterable[TextProviderSpec]:
    """
    Offer providers of text: conversations in, words out.

    Returns:
        One spec per provider. Its id is one of the names under which the
        distribution declares this module in the entry-point group `anymodal`,
        and no two specs of one modality share it.

    Example::

        @hookimpl
        def anymodal_text_providers():
            yield TextProviderSpec(
                id="acme",
                display_name="Acme",
                docs="https://acme.example/docs",
                base_url="https://api.acme.example/v1",
                credentials=[Credential(env=["ACME_API_KEY"])],
                models=[ModelSpec(id="acme-1", source="https://acme.example/docs")],
                default_model="acme-1",
                connect=connect,
            )
    """


@hookspec
def anymodal_image_providers() -> Iterable[ImageProviderSpec]:
    """
    Offer providers of pictures.

    Returns:
        One spec per provider; the rules of `anymodal_text_providers` hold.
    """


@hookspec
def anymodal_video_providers() -> Iterable[VideoProviderSpec]:
    """
    Offer providers of clips.

    Returns:
        One spec per provider; the rules of `anymodal_text_providers` hold.
    """


@hookspec
def anymodal_audio_providers() -> Iterable[AudioProviderSpec]:
    """
    Offer providers of music, effects and enhanced sound.

    Returns:
        One spec per provider; the rules of `anymodal_text_providers` hold.
    """


@hookspec
def anymodal_speech_providers() -> Iterable[SpeechProviderSpec]:
    """
    Offer providers of speech from text.

    Returns:
        One spec per provider; the rules of `anymodal_text_providers` hold.
    """


@hookspec
def anymodal_transcription_providers() -> Iterable[TranscriptionProviderSpec]:
    """
    Offer providers of text from speech.

    Returns:
        One spec per provider; the rules of `anymodal_text_providers` hold.
    """


@hookspec
def anymodal_realtime_providers() -> Iterable[RealtimeProviderSpec]:
    """
    Offer providers of spoken conversation, both ways at once.

    Returns:
        One spec per provider; the rules of `anymodal_text_providers` hold.
    """


@hookspec
def anymodal_embedding_providers() -> Iterable[EmbeddingProviderSpec]:
    """
    Offer providers of vectors of texts.

    Returns:
        One spec per provider; the rules of `anymodal_text_providers` hold.
    """


@hookspec
def anymodal_retrieval_providers() -> Iterable[RetrievalProviderSpec]:
    """
    Offer providers of semantic search over collections.

    Returns:
        One spec per provider; the rules of `anymodal_text_providers` hold.
    """


@hookspec
def anymodal_modalities() -> Iterable[Modality[Any]]:
    """
    Offer new kinds of work. The nine built-in ones come through here too.

    Returns:
        One `Modality` each; no two installed ones share a name.

    Example::

        @hookimpl
        def anymodal_modalities():
            yield Modality(
                name="translation",
                spec="acme_translation.room:TranslationProviderSpec",
                facade="acme_translation.facade:TranslationFacade",
                hookspecs="acme_translation.hookspecs",
            )
    """


@hookspec
def anymodal_emulators() -> Iterable[EmulatorSpec]:
    """
    Offer stand-ins for vendors, for tests and for the tour.

    Returns:
        One spec per provider id that this distribution declares. The
        application it names is imported only when it is served.

    Example::

        @hookimpl
        def anymodal_emulators():
            yield EmulatorSpec(provider="acme", app="anymodal_acme.emulator:app", key="acme-key")
    """


@hookspec
def anymodal_commands() -> Iterable[CommandSpec]:
    """
    Offer sub-commands of `anymodal`.

    Returns:
        One spec per command. A name that a built-in command has is an error of
        the plugin.

    Example::

        @hookimpl
        def anymodal_commands():
            yield CommandSpec(name="logs", help="Search what was called.", run=logs)
    """


@hookspec
def anymodal_observers() -> Iterable[object]:
    """
    Offer objects that are told what happens to calls.

    Returns:
        Objects with a method `on_event(event)`, which is plain and quick. Heard
        only where `[plugins] use` names the plugin.

    Example::

        class Counter:
            def on_event(self, event):
                print(event)


        @hookimpl
        def anymodal_observers():
            yield Counter()
    """


@hookspec
def anymodal_middleware() -> Iterable[object]:
    """
    Offer objects that stand around every call.

    Returns:
        Objects with a method `async around(call, proceed)`, which returns the
        outcome of `proceed(call)` or another. The first stands outermost. Used
        only where `[plugins] use` names the plugin.

    Example::

        class Patient:
            async def around(self, call, proceed):
                return await proceed(call)


        @hookimpl
        def anymodal_middleware():
            yield Patient()
    """


@hookspec
def anymodal_secrets() -> Iterable[SecretSource]:
    """
    Offer places in which keys are kept.

    Returns:
        Objects with a `scheme`, a word, and a method `get(reference)`, which
        returns the key or None. In settings, `api_key = "acme-vault:team/acme"`
        asks the one whose scheme is `acme-vault` for `team/acme`, in a thread,
        when the provider is connected and again when a key was refused. Asked
        only where `[plugins] use` names the plugin.

    Example::

        class Vault:
            scheme = "acme-vault"

            def get(self, reference):
                return Path("/run/vault", reference).read_text().strip()


        @hookimpl
        def anymodal_secrets():
            yield Vault()
    """


@hookspec
def anymodal_stores() -> Iterable[Store]:
    """
    Offer a place in which jobs, budgets and limits are kept.

    Returns:
        One object with the methods of `anymodal.stores.Store`; a subclass of
        `anymodal.stores.Kept` has to write `change` and `rows` only. Used in place
        of the file, and only where `[plugins] use` names the plugin. Two in use are
        an error.

    Example::

        class Shelf(Kept):
            async def change(self, space, key, step): ...

            async def rows(self, space, key): ...

            async def aclose(self): ...


        @hookimpl
        def anymodal_stores():
            yield Shelf()
    """


@hookspec(firstresult=True)
def anymodal_resolve(query: Query) -> str | None:
    """
    Say where a bare name goes, over what tables of models say.

    Asked about names whose first segment is no provider's or instance's, after
    aliases, and never about exact names or where no model is named. Only the
    plugins that `[plugins] use` names are asked, in that order, then the host's own;
    the first answer counts. It is remembered, so the same query has to have the same
    answer. One that breaks is an error, and the name goes nowhere.

    Args:
        query: The name, the modality, and what the call needs.

    Returns:
        An exact name, such as `acme/acme-1`; or None to leave the name alone.

    Example::

        @hookimpl
        def anymodal_resolve(query):
            if query.modality == "text" and query.name == "house-model":
                return "acme/acme-1"
    """
