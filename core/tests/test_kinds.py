"""What kind of work a model does: by its vendor's words, else by its name, else unknown."""

import pytest
from anymodal import LiveModel
from anymodal.modalities import BUILT_IN
from anymodal.modalities.kinds import KINDS, RULES, TRAITS, category
from hypothesis import given
from hypothesis import strategies as st

NAMES = {
    "text": "gpt-6.1-sol chatgpt-4o-latest gpt-audio-mini gpt-4o-audio-preview o3-mini acme/llama3.2 "
    "meta-llama/Llama-3.3-70B-Instruct deepseek-reasoner qwen2.5-vl-72b",
    "image": "gpt-image-2 dall-e-3 black-forest-labs/FLUX.1-schnell stable-diffusion-xl sdxl-turbo "
    "gemini-3.1-flash-image qwen-image-edit grok-imagine-image",
    "video": "sora-2 veo-3.1 wan2.1 acme/kling-video/v2/image-to-video stable-video-diffusion",
    "audio": "cartesia/sonic-2 stable-audio-2 lyria-3 musicgen",
    "speech": "tts-1 gpt-4o-mini-tts playai-tts canopylabs/orpheus-v1",
    "transcription": "whisper-1 gpt-4o-transcribe distil-whisper acme-speech-to-text",
    "realtime": "gpt-realtime-2.1 gpt-4o-realtime-preview",
    "embedding": "text-embedding-3-small codestral-embed bge-m3 acme/e5-large",
    None: "omni-moderation-latest mistral-ocr rerank-3 davinci-002 wanda-1 computer-use-preview acme-1",
}


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for kind, names in NAMES.items() for name in names.split()]
)
def test_names_tell_the_kind_or_nothing(name, kind):
    """The first rule that has a word of the name decides; unknown stays unknown."""
    assert kind == category(name).modality


@pytest.mark.parametrize("word", KINDS)
def test_the_vendors_word_beats_the_name(word):
    """It knows its models."""
    assert KINDS[word] == category("acme/gpt-tts-image", kind=word.upper()).modality


def test_a_kind_that_nobody_knows_leaves_it_to_the_name():
    """Vendors make up new ones."""
    assert "text" == category("acme/gpt-1", kind="omnibus").modality


@pytest.mark.parametrize(
    ("outputs", "kind"),
    [
        (["text"], "text"),
        (["image", "text"], "image"),
        (["text", "audio"], "text"),
        (["video", "audio"], "video"),
        (["embeddings"], "embedding"),
        (["rerank"], None),
        (["speech"], "speech"),
        (["smell"], "transcription"),
        ([], "transcription"),
    ],
)
def test_what_it_gives_beats_the_name(outputs, kind):
    """Pictures count for more than words, and words for more than sound."""
    assert kind == category("whisper", outputs=outputs).modality


@pytest.mark.parametrize(
    ("name", "able"),
    [
        ("gpt-4o-audio-preview", {"audio_input"}),
        ("qwen2.5-vl-72b", {"image_input"}),
        ("deepseek-reasoner", {"reasoning"}),
        ("qwen-image-edit", {"image_edit"}),
        ("acme/kling-video/image-to-video", {"image_to_video"}),
        ("whisper-vision", set()),
    ],
)
def test_names_tell_some_abilities(name, able):
    """Of the kind that they are of; none is denied."""
    assert (able, set()) == (category(name).capabilities.yes, category(name).capabilities.no)


def test_a_list_of_what_goes_in_is_complete():
    """So what is not in it is known to be missing, whatever the name says."""
    found = category("acme/gpt-vision-thinking", inputs=["text", "Audio"]).capabilities

    assert {"audio_input", "reasoning"} == found.yes
    assert {"image_input", "video_input", "file_input"} == found.no


def test_rules_speak_of_what_there_is():
    """Kinds that are ours, and abilities that they have."""
    abilities = {one.name: one.capabilities for one in BUILT_IN}

    assert {one.modality for one in RULES} - {None} <= abilities.keys()
    assert set(KINDS.values()) - {None} <= abilities.keys()
    assert all(one.capability in abilities[one.modality] for one in TRAITS)


def test_no_word_stands_twice():
    """The second would never decide."""
    words = [word for rule in RULES for word in rule.words]

    assert sorted(set(words)) == sorted(words)


@given(name=st.text(), kind=st.text(), outputs=st.lists(st.text()), inputs=st.lists(st.text()))
def test_any_name_has_a_category(name, kind, outputs, inputs):
    """Lists are strangers' data. Case does not matter."""
    found = category(name, kind=kind, outputs=outputs, inputs=inputs)

    assert found.modality in {None, *(one.name for one in BUILT_IN)}


def test_live_models_are_not_listed():
    """They are in no plugin's table."""
    assert not LiveModel(id="acme-9", modality=None).listed
