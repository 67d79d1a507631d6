"""The text room: requests that are checked, results that are read, and the rooms beside it."""

import subprocess
import sys

import attrs
import pytest
from anymodal.errors import InvalidRequestError, UnsupportedFeatureError
from anymodal.media import Image
from anymodal.modalities import BUILT_IN, TEXT, Modality, anymodal_modalities
from anymodal.modalities.messages import Citation, Message, Reasoning, ToolCall
from anymodal.modalities.text import (
    Finish,
    TextOption,
    TextProviderSpec,
    TextRequest,
    TextResult,
    ToolSpec,
)
from anymodal.specs import ModelSpec, ProviderSpec
from anymodal.usage import CallWarning, Record, Usage


def request(**more):
    return TextRequest(model=ModelSpec(id="acme-1"), messages=(Message.user("Hi"),), **more)


# -- the request ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "need"),
    [
        ("temperature", -0.1, "a number from 0 up"),
        ("temperature", "1", "a number from 0 up"),
        ("temperature", True, "a number from 0 up"),
        ("temperature", float("nan"), "a number from 0 up"),
        ("temperature", float("inf"), "a number from 0 up"),
        ("top_p", 0, "a number above 0 and up to 1"),
        ("top_p", 1.1, "a number above 0 and up to 1"),
        ("top_p", "1", "a number above 0 and up to 1"),
        ("top_p", float("nan"), "a number above 0 and up to 1"),
        ("max_tokens", 0, "a whole number above 0"),
        ("max_tokens", 1.0, "a whole number above 0"),
        ("max_tokens", True, "a whole number above 0"),
        ("seed", 1.5, "a whole number"),
        ("seed", False, "a whole number"),
    ],
)
def test_setting_that_no_model_could_take_is_refused(field, value, need):
    """Before anything is sent, by the name of the argument."""
    with pytest.raises(InvalidRequestError) as caught:
        request(**{field: value})

    assert str(caught.value) == f"{field}: {need} is needed, not {value!r}."
    assert caught.value.field == field


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"temperature": 0, "top_p": 1, "max_tokens": 1, "seed": -1},
        {"temperature": 2.5, "top_p": 0.01},
        {"reasoning": "none"},
        {"reasoning": "max"},
    ],
)
def test_settings_within_their_bounds_stand(settings):
    """The bounds themselves are allowed; None is the vendor's default."""
    made = request(**settings)

    assert {name: getattr(made, name) for name in settings} == settings


def test_unknown_effort_is_refused():
    """With the ones there are."""
    with pytest.raises(InvalidRequestError, match="reasoning: 'huge' is none of none, minimal, "):
        request(reasoning="huge")


@pytest.mark.parametrize("choice", ["auto", "none", "required", "add"])
def test_tool_choice_is_a_word_or_a_tool(choice):
    """A tool's name means that one."""
    assert request(tools=(ToolSpec(name="add"),), tool_choice=choice).tool_choice == choice


def test_choosing_a_tool_that_is_not_there_is_refused():
    """Most vendors would answer with a puzzling 400."""
    with pytest.raises(InvalidRequestError, match="tool_choice: no tool is called 'sub'") as caught:
        request(tools=(ToolSpec(name="add"),), tool_choice="sub")

    assert caught.value.field == "tool_choice"


@pytest.mark.parametrize("name", ["add", "a-b_c9", "x" * 64])
def test_tool_names_are_what_every_vendor_takes(name):
    """Letters, digits, hyphens and underscores, at most 64."""
    assert ToolSpec(name=name).name == name


@pytest.mark.parametrize("name", ["", "a b", "ä", "x" * 65, "add()"])
def test_other_tool_names_are_refused(name):
    """When the tool is made, not when it is first sent."""
    with pytest.raises(ValueError):
        ToolSpec(name=name)


def test_tool_without_parameters_takes_an_empty_object():
    """The schema that vendors accept for it; no two tools share one."""
    one, two = ToolSpec(name="one"), ToolSpec(name="two")

    assert one.parameters == {"type": "object", "properties": {}}
    assert one.parameters is not two.parameters


@attrs.frozen(kw_only=True)
class AcmeText(TextOption):
    tier: str


@attrs.frozen(kw_only=True)
class OtherText(TextOption):
    tier: str


def test_provider_finds_its_own_options():
    """And leaves those of others alone, so that a call may fail over."""
    ours, theirs = AcmeText(tier="flex"), OtherText(tier="slow")

    assert request(options=(theirs, ours)).option(AcmeText) is ours
    assert request(options=(theirs,)).option(AcmeText) is None


def test_options_are_classes_of_plugins():
    """A mapping would be checked by nobody."""
    with pytest.raises(InvalidRequestError, match="options: dict is no TextOption of a plugin"):
        request(options=({"tier": "flex"},))


def test_setting_that_is_not_honoured_is_a_warning():
    """Typed, on the request's own list; two equal requests stay equal."""
    made = request()
    made.warn("seed", "acme-1 has none.")

    assert made.warnings == [CallWarning("seed", "acme-1 has none.")]
    assert made == request()
    assert request().warnings == []


def test_setting_that_is_not_honoured_is_an_error_for_the_strict():
    """And nothing is noted."""
    made = request(strict=True)
    with pytest.raises(UnsupportedFeatureError, match=r"^seed: acme-1 has none\.$"):
        made.warn("seed", "acme-1 has none.")

    assert made.warnings == []


# -- the result ---------------------------------------------------------------------------------


def test_result_is_read_by_kind():
    """Words, thoughts, calls and sources, whatever their order was."""
    call, source = ToolCall("c1", "add"), Citation("https://a.example")
    picture = Image(url="https://acme.example/a.png")
    result = TextResult(
        Message.assistant(Reasoning("h"), "Hel", call, Reasoning("m"), picture, "lo", source),
        Finish("tool_calls", Usage(1, 2)),
    )

    assert result.text == "Hello"
    assert result.reasoning == "hm"
    assert result.tool_calls == (call,)
    assert result.citations == (source,)
    assert result.finish_reason == "tool_calls"
    assert result.usage == Usage(1, 2)


def test_results_are_equal_whatever_their_records_say():
    """Two equal answers are equal; one took longer."""
    record = Record(id="c1", modality="text", operation="generate")

    assert TextResult(Message.assistant("Hi")) == TextResult(Message.assistant("Hi"), record=record)
    assert TextResult(Message.assistant("Hi")).finish_reason == "stop"


def test_raw_answers_do_not_print():
    """They may be megabytes."""
    assert "enormous" not in repr(Finish(raw="enormous"))


# -- the rooms ------------------------------------------------------------------------------------


def test_nine_modalities_come_with_anymodal():
    """Through the same hook as anybody else's."""
    assert [modality.name for modality in anymodal_modalities()] == [
        "text",
        "image",
        "video",
        "audio",
        "speech",
        "transcription",
        "realtime",
        "embedding",
        "retrieval",
    ]


@pytest.mark.parametrize("modality", BUILT_IN, ids=lambda modality: modality.name)
def test_every_modality_has_a_spec_class_of_its_name(modality):
    """A registry asks the class which modality it is of."""
    cls = modality.spec_class()

    assert issubclass(cls, ProviderSpec)
    assert cls.modality == modality.name
    assert cls is modality.spec_class()
    assert cls(id="acme", display_name="Acme", connect=len).id == "acme"


def test_modality_is_imported_when_it_is_used():
    """A listing of texts does not pay for the other eight rooms."""
    check = (
        "import sys, anymodal.modalities as m; "
        "assert m.TEXT.spec_class().__name__ == 'TextProviderSpec'; "
        "sys.exit(sum(n.startswith('anymodal.modalities.') for n in sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", check], check=False, capture_output=True)

    assert run.stderr == b""
    assert run.returncode == len({"text_spec"})


def test_third_modality_is_like_the_nine():
    """Its hook is named after it; its spec and its facade are where it says."""
    translation = Modality(
        name="sign-translation",
        spec="anymodal.modalities.text:TextProviderSpec",
        facade="anymodal.modalities.text:TextResult",
        capabilities=["streaming"],
    )

    assert translation.hook == "anymodal_sign_translation_providers"
    assert translation.spec_class() is TextProviderSpec
    assert translation.facade_class() is TextResult
    assert translation.capabilities == frozenset({"streaming"})
    assert TEXT.hook == "anymodal_text_providers"


def test_modality_needs_an_id():
    """It becomes part of a hook's name."""
    with pytest.raises(ValueError, match="name: 'Text' is not lower-case words"):
        Modality(name="Text", spec="a:B")
