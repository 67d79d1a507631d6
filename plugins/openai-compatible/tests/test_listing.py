"""What is read of vendors' lists of models, in the shapes that they have."""

import datetime as dt

import attrs
import pytest
from anymodal.catalogue import is_free
from anymodal_openai_compatible.listing import live_model, models_of
from inline_snapshot import snapshot

DAY = dt.date(2026, 11, 20)


def known(row):
    """What is known of a model, without what is not."""
    model = live_model(row, DAY)
    fields = {name: getattr(model, name) for name in attrs.fields_dict(type(model))}
    able = {"yes": sorted(model.capabilities.yes), "no": sorted(model.capabilities.no)}
    prices = {
        one.unit: f"{one.usd}/{one.per}" for one in (model.prices.items if model.prices else ())
    }
    plain = {name: fields[name] for name in ("context_tokens", "max_output_tokens")}
    life = (model.lifecycle.state, str(model.lifecycle.retires_on))
    return {"modality": model.modality, **able, **plain, "prices": prices, "life": life}


def test_ids_alone():
    """OpenAI's rows have nothing else; the id says what kind it is, or nothing does."""
    rows = [
        {"id": name, "object": "model", "created": 1, "owned_by": "system"}
        for name in ("gpt-6.1-sol", "gpt-image-2", "gpt-4o-mini-tts", "davinci-002")
    ]

    assert {one.id: one.modality for one in models_of({"data": rows})} == snapshot(
        {
            "gpt-6.1-sol": "text",
            "gpt-image-2": "image",
            "gpt-4o-mini-tts": "speech",
            "davinci-002": None,
        }
    )
    assert all(not one.listed and one.prices is None for one in models_of(rows))


def test_rows_that_say_what_goes_in_and_out():
    """OpenRouter's: kinds, limits, parameters and prices of one token."""
    row = {
        "id": "acme/large",
        "context_length": 1_000_000,
        "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
        "pricing": {
            "prompt": "0.000002",
            "completion": "0.00001",
            "input_cache_read": "0.0000002",
            "request": "0",
            "web_search": "0.01",
            "discount": 0,
        },
        "top_provider": {"max_completion_tokens": 64_000},
        "supported_parameters": ["tools", "temperature"],
        "expiration_date": "2027-01-14",
    }

    assert known(row) == snapshot(
        {
            "modality": "text",
            "yes": ["function_calling", "image_input", "sampling"],
            "no": ["audio_input", "file_input", "reasoning", "structured_output", "video_input"],
            "context_tokens": 1000000,
            "max_output_tokens": 64000,
            "prices": {
                "input_token": "0.000002/1",
                "output_token": "0.00001/1",
                "cached_input_token": "2E-7/1",
                "request": "0/1",
                "search": "0.01/1",
            },
            "life": ("deprecated", "2027-01-14"),
        }
    )


def test_rows_that_name_the_kind():
    """Together AI's: `type`, and prices of a million."""
    row = {
        "id": "acme/chat-1",
        "type": "chat",
        "context_length": 131_072,
        "pricing": {"hourly": 0, "input": 0.3, "output": 0.6, "base": 0, "finetune": 0},
    }

    assert known(row) == snapshot(
        {
            "modality": "text",
            "yes": [],
            "no": [],
            "context_tokens": 131072,
            "max_output_tokens": None,
            "prices": {"input_token": "0.3/1000000", "output_token": "0.6/1000000"},
            "life": ("active", "None"),
        }
    )


def test_rows_with_a_window_and_a_switch():
    """Groq's: what is not active is not served."""
    row = {"id": "whisper-large-v3", "active": False, "context_window": 448}

    assert known({**row, "max_completion_tokens": 448}) == snapshot(
        {
            "modality": "transcription",
            "yes": [],
            "no": [],
            "context_tokens": 448,
            "max_output_tokens": 448,
            "prices": {},
            "life": ("retired", "None"),
        }
    )


@pytest.mark.parametrize(
    ("fields", "free"),
    [
        ({"pricing": {"prompt": "0", "completion": "0"}}, True),
        ({"pricing": {"prompt": "0", "completion": "0", "web_search": "0.01"}}, True),
        ({"pricing": {"prompt": "0", "completion": "0", "request": "0.01"}}, False),
        ({"pricing": {"prompt": "0", "completion": "0.000001"}}, False),
        ({"pricing": {"prompt": "-1", "completion": "-1"}}, False),
        ({"pricing": {"prompt": "0"}}, False),
        ({"pricing": {"prompt": "dear", "completion": "0"}}, False),
        ({"pricing": {"input": 0, "output": 0}, "type": "chat"}, True),
        ({"pricing": {"input": 0, "output": 0}, "type": "image"}, False),
        ({"pricing": {"input": 0, "output": 0, "hourly": 2}, "type": "chat"}, False),
        ({"pricing": None}, False),
        ({}, False),
    ],
)
def test_free_is_what_the_vendor_prices_at_nothing(fields, free):
    """Unknown, varying and sold otherwise are not free."""
    assert free is is_free(live_model({"id": "acme/gpt-1", **fields}, DAY))
