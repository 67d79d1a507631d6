"""
Batches of text, as Mistral has them: a file of requests in, a file of answers out.

Unlike OpenAI's, a job has one model, its lines are all for its endpoint, and words and
paths are Mistral's own. A line of the files of outcomes is
`{"id", "custom_id", "response": {"status_code", "body"}, "error"}`, in no order; the
error is an object, or a bare string. Requests may also be given inline, up to 10,000;
files take more, so that they are the one way here.

Sources: https://docs.mistral.ai/inference/batch-processing and
https://docs.mistral.ai/resources/known-limitations; mistralai 3.7.0, `client/jobs.py`,
`client/files.py` and `client/models/batchjob.py`; the lines of outcomes by langchain4j's
`MistralAiBatchResultEntry` and litellm's `llms/mistral/batches`; read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import attrs
from anymodal.jobs import JobState, JobStatus, state_of
from anymodal.modalities.batches import BatchLine
from anymodal_openai_compatible.batch import BatchingText
from anymodal_openai_compatible.frames import Object
from anymodal_openai_compatible.provider import Codec

__all__ = ["MAX_BYTES", "MAX_LINES", "BatchingMistral"]

STATES: Final[Mapping[str, JobState]] = {
    "QUEUED": "queued",
    "RUNNING": "running",
    "CANCELLATION_REQUESTED": "running",
    "SUCCESS": "succeeded",
    "FAILED": "failed",
    "TIMEOUT_EXCEEDED": "expired",
    "CANCELLED": "cancelled",
}

MAX_LINES: Final = 1_000_000
"""By the guide; the page of limitations says a tenth of it, which the vendor may insist on."""

MAX_BYTES: Final = 512_000_000


@attrs.frozen(eq=False, kw_only=True)
class BatchingMistral(BatchingText):
    """Batches in Mistral's words."""

    max_lines: int = MAX_LINES
    max_bytes: int = MAX_BYTES

    batches_path: ClassVar[str] = "/batch/jobs"
    result_files: ClassVar[Sequence[str]] = ("output_file", "error_file")

    def batch_row(self, line: BatchLine, codec: Codec) -> Object:
        """Return *line* as the file of requests has it."""
        return {"custom_id": line.id, "body": codec.encode(line.request, stream=False)}

    def batch_body(self, file: str, codec: Codec, lines: Sequence[BatchLine]) -> Object:
        """Return the body that makes a job of the uploaded *file*."""
        model = lines[0].request.model.id
        return {"input_files": [file], "endpoint": f"/v1{codec.path}", "model": model}

    def batch_status(self, found: Object, named: str | None) -> JobStatus:
        """Return what the vendor says of a job, in an answer that is *named* so."""
        word = str(found["status"])
        state = state_of(word, STATES)
        total = found["total_requests"]
        has_files = any(found.get(name) for name in self.result_files)
        return JobStatus(
            state=state,
            word=word,
            progress=found["completed_requests"] / total if total else None,
            has_result=state == "succeeded"
            or (state in {"failed", "cancelled", "expired"} and has_files),
            message=self._words(found) if state == "failed" else "",
            request_id=named,
        )

    def _words(self, found: Object) -> str:
        errors = found.get("errors") or [{"message": ""}]
        words = " ".join(str(errors[0]["message"]).split())[:500]
        return self.codecs[0].scrub(words)
