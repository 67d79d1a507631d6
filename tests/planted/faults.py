"""
What is planted into good providers, to see whether the contract suites find it.

Each fault breaks one clause of `docs/contract.md`. The table is written before the
suites are, so that no suite is fitted to what it happens to find. Faults of clauses
that several modalities have are planted into one of them: what all have into text, what
is made into pictures, jobs and files into clips. `python -m tests.planted.score` tells
the page how many there are.
"""

from __future__ import annotations

from typing import Final

import attrs

__all__ = ["FAULTS", "Fault"]


@attrs.frozen
class Fault:
    """
    Something wrong with a provider.

    Attributes:
        id: Its name; no two faults of a modality share one.
        modality: Into whose sample provider it is planted.
        clause: What it breaks.
        how: What the provider does.
    """

    id: str
    modality: str
    clause: str
    how: str


def _planted(modality: str, *rows: tuple[str, str, str]) -> tuple[Fault, ...]:
    return tuple(Fault(name, modality, clause, how) for name, clause, how in rows)


FAULTS: Final = (
    *_planted(
        "text",
        # -- what every modality has
        ("speaks-no-contract", "plugin.connects", "connects to an object without any method"),
        ("opens-in-connect", "plugin.connects", "opens a socket while it connects"),
        ("imports-http", "plugin.imports-little", "imports an HTTP library at the top"),
        ("starts-a-thread", "plugin.imports-little", "starts a thread at the top"),
        ("counts-its-calls", "plugin.hooks-repeat", "a hook offers another spec the second time"),
        ("cites-nothing", "spec.cites-its-sources", "a model has facts and no page"),
        ("free-for-unknown", "spec.prices-have-a-source", "a price is 0 because it is not known"),
        ("undated-price", "spec.prices-have-a-source", "prices of the year 1970"),
        ("lost-default", "spec.default-is-served", "the default model is in no table"),
        ("retired-default", "spec.default-is-served", "the default model is retired"),
        ("own-words", "plugin.connects", "a capability that no modality knows"),
        ("answers-nothing", "call.answers", "answers without a word"),
        ("never-asks", "call.answers", "answers by itself and asks no vendor"),
        ("one-answer", "call.hears-what-is-asked", "gives every prompt the same answer"),
        ("keeps-usage", "call.tells-usage", "does not say what the vendor counted"),
        ("counts-zero", "call.tells-usage", "says 0 tokens where the vendor counted some"),
        ("loses-request-id", "call.keeps-the-request-id", "does not say the vendor's id"),
        ("shares-state", "call.serves-many-at-once", "keeps the request of a call in itself"),
        ("leaks-a-task", "call.leaves-nothing", "starts a task that outlives the call"),
        ("leaks-a-socket", "call.leaves-nothing", "leaves a connection open when closed"),
        ("swallows-cancel", "cancel.goes-through", "takes a cancellation for a failure"),
        ("cancelled-socket", "cancel.leaves-nothing", "a cancelled call's request goes on"),
        ("dies-of-cancel", "cancel.leaves-it-usable", "serves nobody after a cancelled call"),
        ("shields-itself", "deadline.is-kept", "shields the wait for its vendor from the deadline"),
        ("rate-is-server", "error.has-its-class", "takes HTTP 429 for a failure of the server"),
        ("raw-error", "error.has-its-class", "lets the HTTP library's own errors through"),
        ("wait-is-lost", "error.tells-the-wait", "does not say what Retry-After said"),
        ("tries-again", "error.is-tried-once", "tries again by itself"),
        (
            "broken-is-answer",
            "error.of-a-broken-connection",
            "takes a broken answer for a whole one",
        ),
        ("nonsense-is-answer", "error.of-nonsense", "takes a web page for an answer"),
        ("nameless-error", "error.says-who", "raises errors that do not say whose they are"),
        ("sends-no-key", "key.is-sent", "sends a key of its own whatever it is given"),
        ("asks-without-key", "key.is-asked-for", "sends requests without a key"),
        ("key-in-repr", "key.is-never-shown", "prints its key"),
        ("key-in-error", "key.is-never-shown", "puts its key into an error"),
        ("key-in-log", "key.is-never-shown", "logs its key"),
        ("key-in-cause", "key.is-never-shown", "chains an error that has the key"),
        ("yes-and-no", "refused.before-it-is-sent", "says no to what it is asked and sends it"),
        ("retires-in-silence", "refused.where-retired", "does not say what replaces a model"),
        # -- text
        ("no-finish", "text.stream.ends-in-one-finish", "ends without a Finish"),
        ("after-finish", "text.stream.ends-in-one-finish", "goes on after its Finish"),
        ("two-finishes", "text.stream.ends-in-one-finish", "ends twice"),
        ("empty-piece", "text.stream.has-no-empty-piece", "begins with an empty piece"),
        ("one-piece", "text.stream.comes-in-pieces", "says it streams and sends one piece"),
        ("holds-back", "text.stream.comes-as-it-is-said", "reads all before it gives the first"),
        ("streams-other", "text.stream.agrees-with-generate", "streams other words than it writes"),
        ("leaves-open", "text.stream.closes-when-left", "reads on behind a stream that was left"),
        ("whole-if-cut", "text.stream.tells-what-was-cut", "ends a cut stream in good order"),
        ("ascii-only", "text.prompt.arrives-whole", "drops what is not ASCII"),
        ("breaks-runes", "text.answer.arrives-whole", "decodes a stream piece by piece"),
        ("last-turn-only", "text.prompt.keeps-its-turns", "sends the last turn alone"),
        ("no-system", "text.prompt.has-its-system", "leaves out the system prompt"),
        ("drops-max", "text.setting.is-sent-or-warned-of", "drops max_tokens in silence"),
        (
            "lenient",
            "text.setting.is-refused-where-strict",
            "drops what it cannot do, though strict",
        ),
        ("stop-for-length", "text.finish.says-why", "takes an answer cut at max_tokens for whole"),
        ("long-is-bad", "text.error.of-a-long-prompt", "takes a long prompt for a bad request"),
        ("quota-is-rate", "text.error.of-a-quota", "takes an empty account for a busy vendor"),
        ("filter-is-bad", "text.error.of-a-filter", "takes a filtered prompt for a bad request"),
        ("filter-is-stop", "text.finish.says-filtered", "takes a filtered answer for a whole one"),
        ("late-is-whole", "text.error.while-it-streams", "takes an error in a stream for its end"),
        ("no-arguments", "text.can.call-functions", "loses the arguments of calls"),
        ("no-result", "text.can.call-functions", "does not send what functions returned"),
        ("shapeless", "text.can.fit-a-shape", "does not send the shape"),
        ("blind", "text.can.see-pictures", "does not send pictures"),
        ("illiterate", "text.can.read-files", "does not send files"),
        ("deaf", "text.can.hear-sound", "does not send sound"),
        ("unseeing", "text.can.watch-clips", "does not send clips"),
        ("thoughtless", "text.can.reason", "does not ask for reasoning"),
        ("uncited", "text.can.cite", "loses the sources"),
        ("no-search", "text.can.search", "does not ask for a search"),
        ("mixed-batch", "text.can.batch", "gives the answers of a batch in another order"),
        ("no-models", "text.can.list-models", "lists models that are not served"),
    ),
    *_planted(
        "image",
        # -- what pictures, clips and sound have
        ("not-a-picture", "made.opens", "gives bytes that are no picture"),
        ("half-a-picture", "made.opens", "gives half of a picture"),
        ("gives-links", "made.is-at-hand", "gives a link that dies instead of the picture"),
        ("wrong-type", "made.says-its-type", "calls a PNG a JPEG"),
        ("no-bounds", "made.is-bounded", "reads whatever comes to its end"),
        ("follows-anything", "made.link.leads-nowhere-else", "follows links wherever they lead"),
        ("short-prompt", "made.prompt.arrives-whole", "cuts the prompt"),
        ("drops-seed", "made.setting.is-sent-or-warned-of", "drops the seed in silence"),
        ("lenient", "made.setting.is-refused-where-strict", "drops a setting, though strict"),
        ("filter-is-bad", "made.error.of-a-filter", "takes a filtered prompt for a bad request"),
        ("quota-is-rate", "made.error.of-a-quota", "takes an empty account for a busy vendor"),
        ("pays-twice", "made.error.of-a-lost-answer", "sends a paid request again"),
        # -- image
        ("any-size", "image.has-its-size", "drops the size in silence"),
        ("turned", "image.has-its-size", "takes the height for the width"),
        ("ratios-alone", "image.sizes.are-as-declared", "declares pixels, and takes ratios alone"),
        ("one-of-two", "image.has-its-count", "gives one picture where two are asked for"),
        ("one-format", "image.has-its-format", "drops the format in silence"),
        ("edits-nothing", "image.edit.sends-its-picture", "makes a new picture instead"),
    ),
    *_planted(
        "video",
        # -- what clips and sound have
        ("forgets-jobs", "job.comes-back", "keeps the handle in itself"),
        ("odd-handle", "job.key-leads-back", "has a handle that JSON makes another of"),
        ("key-in-handle", "job.handle-is-plain", "keeps its key in the handle"),
        ("whole-in-handle", "job.handle-is-plain", "keeps the vendor's whole answer"),
        ("pays-twice", "job.is-made-once", "submits again where the answer was lost"),
        ("lost-is-failed", "job.is-made-once", "takes a lost answer for a failure"),
        ("ends-early", "job.ends-once", "says done before it is"),
        ("never-ends", "job.ends-once", "never sees that a job has ended"),
        ("back-steps", "job.progress-never-falls", "tells progress that falls"),
        ("no-progress", "job.progress-never-falls", "says it tells progress, and tells none"),
        ("fails-well", "job.tells-failure", "takes a failed job for a running one"),
        ("no-reason", "job.tells-failure", "does not say why a job failed"),
        ("goes-on", "job.cancels", "says cancelled and lets the vendor go on"),
        ("odd-state", "job.unknown-is-running", "dies of a state that it does not know"),
        ("strange-is-failed", "job.unknown-is-running", "takes a strange state for a failure"),
        ("hiccup-is-end", "job.hiccup-is-no-end", "takes a failed look for a failed job"),
        ("waits-for-ever", "job.forgotten-is-over", "waits for a job that is forgotten"),
        ("files-nothing", "file.has-it-all", "leaves the file empty"),
        ("half-a-file", "file.is-whole-or-absent", "leaves half a file behind"),
        # -- video
        ("not-a-clip", "made.opens", "gives bytes that are no clip"),
        ("any-size", "video.has-its-size", "drops the size in silence"),
        ("drops-seconds", "video.has-its-length", "drops the length in silence"),
        ("says-other-seconds", "video.has-its-length", "says another length than it gives"),
        ("no-picture", "video.picture.arrives", "does not send the first picture"),
        ("one-clip", "video.composition.has-all-its-parts", "leaves out all clips but the first"),
    ),
    *_planted(
        "audio",
        ("not-a-sound", "made.opens", "gives bytes that are no sound"),
        ("wrong-type", "made.says-its-type", "calls a WAV an MP3"),
        ("drops-loop", "made.setting.is-sent-or-warned-of", "drops the loop in silence"),
        ("short-prompt", "made.prompt.arrives-whole", "cuts the prompt"),
        ("forgets-jobs", "job.comes-back", "keeps the handle in itself"),
        ("drops-seconds", "audio.has-its-length", "drops the length in silence"),
        ("any-format", "audio.has-its-format", "gives WAV whatever is asked for"),
        ("enhances-nothing", "audio.enhance.sends-its-sound", "does not send the sound"),
        ("enhances-half", "audio.enhance.sends-its-sound", "gives half of the sound back"),
    ),
    *_planted(
        "speech",
        ("not-a-sound", "speech.plays", "gives bytes that are no sound"),
        ("wrong-rate", "speech.says-its-rate", "says 24 kHz of a sound of 16 kHz"),
        ("any-format", "speech.format.is-kept", "gives WAV where MP3 is asked for"),
        ("one-voice", "speech.voice.is-kept", "speaks in one voice only"),
        ("ascii-only", "speech.text.arrives-whole", "drops what is not ASCII"),
        ("drops-speed", "speech.setting.is-sent-or-warned-of", "drops the speed in silence"),
        (
            "lenient",
            "speech.setting.is-refused-where-strict",
            "drops what it cannot do, though strict",
        ),
        ("no-end", "speech.stream.ends-in-one-end", "ends without a SpeechEnd"),
        ("after-end", "speech.stream.ends-in-one-end", "goes on after its SpeechEnd"),
        ("empty-piece", "speech.stream.has-no-empty-piece", "begins with an empty piece"),
        ("one-chunk", "speech.stream.comes-in-pieces", "says it streams and gives one piece"),
        ("holds-back", "speech.stream.comes-as-it-is-said", "reads all before it gives the first"),
        ("streams-other", "speech.stream.agrees-with-synthesize", "streams another sound"),
        ("leaves-open", "speech.stream.closes-when-left", "reads on behind a stream that was left"),
        ("whole-if-cut", "speech.stream.tells-what-was-cut", "ends a cut stream in good order"),
        (
            "loses-half-words",
            "speech.live.agrees-with-synthesize",
            "says only pieces that end in a space",
        ),
        ("waits-for-all", "speech.live.speaks-before-the-end", "waits for the whole text"),
        (
            "leaves-live-open",
            "speech.live.closes-when-left",
            "keeps the socket of a voice that was left",
        ),
        ("broken-is-end", "speech.live.tells-a-broken-socket", "takes a broken socket for the end"),
        ("no-voices", "speech.voices.are-listed", "lists voices that do not speak"),
        ("learns-nothing", "speech.clone.speaks", "says that it learned a voice, and did not"),
    ),
    *_planted(
        "transcription",
        ("hears-nothing", "transcription.hears-words", "does not send the sound"),
        ("hears-things", "transcription.silence-has-no-words", "hears thanks in silence"),
        ("mixed-segments", "transcription.segments.are-in-order", "gives segments out of order"),
        ("milliseconds", "transcription.times.are-seconds", "takes milliseconds for seconds"),
        (
            "drops-prompt",
            "transcription.setting.is-sent-or-warned-of",
            "drops the prompt in silence",
        ),
        (
            "lenient",
            "transcription.setting.is-refused-where-strict",
            "drops what it cannot do, though strict",
        ),
        ("wordless", "transcription.can.time-words", "loses the words' times"),
        ("one-speaker", "transcription.can.tell-speakers", "loses who spoke"),
        ("late-finals", "transcription.live.ends-with-finals", "ends before the last words"),
        ("no-end", "transcription.live.ends-in-one-end", "ends without a TranscriptionEnd"),
        ("after-end", "transcription.live.ends-in-one-end", "goes on after its TranscriptionEnd"),
        ("changes-finals", "transcription.live.finals-stay", "changes what was final"),
        ("hears-other", "transcription.live.agrees-with-transcribe", "hears other words live"),
        (
            "waits-for-all",
            "transcription.live.comes-as-it-is-said",
            "says what it heard when all is over",
        ),
        (
            "no-turns",
            "transcription.live.tells-of-turns",
            "does not say who begins and ends to speak",
        ),
        (
            "turns-inside-out",
            "transcription.live.tells-of-turns",
            "says that a turn began when it has ended",
        ),
        ("empty-partial", "transcription.live.has-no-empty-piece", "gives partials without a word"),
        ("drops-crumbs", "transcription.live.takes-any-cut", "drops pieces that are small"),
        ("one-rate", "transcription.live.format.is-kept", "takes all sound for 16 kHz"),
        (
            "forgets-unread",
            "transcription.live.hears-both-ways",
            "keeps only the last of what nobody has read",
        ),
        (
            "buffers-all",
            "transcription.live.holds-back",
            "takes all sound, however slow its vendor is",
        ),
        ("leaves-open", "transcription.live.closes-when-left", "keeps the socket of a left call"),
        (
            "leaks-a-task",
            "transcription.live.closes-when-left",
            "leaves a task that keeps the socket alive",
        ),
        (
            "broken-is-end",
            "transcription.live.tells-a-broken-socket",
            "takes a broken socket for the end",
        ),
        (
            "loses-words",
            "transcription.live.tells-a-broken-socket",
            "keeps finals back until the end",
        ),
    ),
    *_planted(
        "realtime",
        ("silent", "realtime.answers", "never gives the vendor's sound"),
        ("textless", "realtime.says-what-it-heard", "loses what was said"),
        ("no-turns", "realtime.tells-of-turns", "does not say who begins and ends to speak"),
        ("two-ends", "realtime.ends-each-answer-once", "ends each answer twice"),
        ("sound-after-end", "realtime.ends-each-answer-once", "gives sound after the end"),
        ("half-samples", "realtime.sound.is-whole", "cuts sound within samples"),
        ("wrong-format", "realtime.format.is-kept", "takes sound of a format that it has not"),
        (
            "one-format",
            "realtime.format.is-kept",
            "answers in the usual format whatever is asked for",
        ),
        ("drops-voice", "realtime.setting.is-sent-or-warned-of", "drops the voice in silence"),
        (
            "lenient",
            "realtime.setting.is-refused-where-strict",
            "drops what it cannot do, though strict",
        ),
        ("no-tools", "realtime.calls-functions", "loses calls of functions"),
        ("no-result", "realtime.calls-functions", "does not send what functions returned"),
        ("impatient", "realtime.waits-for-the-caller", "answers before it is told to"),
        (
            "speaks-always",
            "realtime.writes-where-asked",
            "answers in sound where text is asked for",
        ),
        ("deaf-while-speaking", "realtime.hears-while-it-speaks", "sends nothing while it speaks"),
        ("talks-on", "realtime.is-interrupted", "goes on when it is interrupted"),
        ("heard-it-all", "realtime.tells-how-much-was-heard", "does not say how much was heard"),
        (
            "sulks",
            "realtime.goes-on-after-an-interruption",
            "does not answer after it was interrupted",
        ),
        ("buffers-all", "realtime.holds-back", "takes all sound, however slow its vendor is"),
        ("leaves-open", "realtime.closes-when-left", "keeps the socket of a left session"),
        ("leaks-a-task", "realtime.closes-when-left", "leaves a task of a session that was left"),
        ("broken-is-end", "realtime.tells-a-broken-socket", "takes a broken socket for the end"),
    ),
    *_planted(
        "embedding",
        ("one-vector", "call.hears-what-is-asked", "gives every text the same vector"),
        ("shares-state", "call.serves-many-at-once", "keeps the request of a call in itself"),
        ("rate-is-server", "error.has-its-class", "takes HTTP 429 for a failure of the server"),
        ("yes-and-no", "refused.before-it-is-sent", "says no to what it is asked and sends it"),
        ("one-short", "embedding.has-one-a-text", "gives one vector too few"),
        ("by-index", "embedding.keeps-the-order", "gives vectors in the order of the answer"),
        ("random", "embedding.repeats", "gives the same text two vectors"),
        ("meaningless", "embedding.is-near-where-meaning-is", "near texts lie far apart"),
        ("any-length", "embedding.has-its-dimensions", "drops the dimensions in silence"),
        ("other-length", "embedding.has-its-dimensions", "its table has another length"),
        (
            "drops-end-user",
            "embedding.setting.is-sent-or-warned-of",
            "drops the person behind the call in silence",
        ),
        (
            "lenient",
            "embedding.setting.is-refused-where-strict",
            "drops what it cannot do, though strict",
        ),
        ("too-many", "embedding.keeps-its-limits", "declares more texts than its vendor takes"),
        ("unsorted", "embedding.sparse-is-sorted", "gives the indices of a vector unsorted"),
        ("not-normal", "embedding.is-normalised-where-said", "says that lengths are 1"),
        ("ascii-only", "embedding.text-arrives-whole", "drops what is not ASCII"),
    ),
    *_planted(
        "retrieval",
        ("loses-text", "retrieval.gives-back-what-it-got", "gives documents back without text"),
        ("keeps-both", "retrieval.upsert-replaces", "keeps two documents of one id"),
        ("keeps-deleted", "retrieval.deletes", "finds what was deleted"),
        ("any-filter", "retrieval.filters", "takes no notice of a filter"),
        ("or-is-and", "retrieval.filters", "takes Or for And"),
        ("no-limit", "retrieval.keeps-the-limit", "gives more than was asked for"),
        ("worst-first", "retrieval.gives-the-nearest-first", "gives the farthest first"),
        ("miscounts", "retrieval.counts", "counts what a filter leaves out"),
        ("one-distance", "retrieval.distance.is-kept", "measures by angles whatever is said"),
        ("keeps-a-hundred", "retrieval.keeps-any-number", "keeps the first hundred of a request"),
        ("makes-anew", "retrieval.makes-none-twice", "makes a collection in the place of another"),
        ("shrugs", "retrieval.error.of-each-operation", "takes a failure to delete for nothing"),
        ("no-words", "retrieval.can.find-by-words", "takes no notice of what words weigh"),
        ("dense-alone", "retrieval.can.use-both", "finds by dense vectors alone"),
        ("overlooks-mode", "retrieval.can.use-both", "takes dense vectors whatever the mode"),
        ("sparse-alone", "retrieval.can.use-both", "finds by sparse vectors alone"),
        ("rising-scores", "retrieval.gives-the-nearest-first", "gives distances for scores"),
        ("id-as-number", "retrieval.gives-back-what-it-got", "gives ids back as hashes"),
        ("merges", "retrieval.upsert-replaces", "keeps what a new payload leaves out"),
        ("first-of-each", "retrieval.filters", "looks at the first value of a list alone"),
        ("counts-all", "retrieval.counts", "counts all, whatever the filter"),
        ("empties", "retrieval.drops", "keeps what was in a dropped collection for the next"),
        ("one-answer", "call.hears-what-is-asked", "finds the same whatever is asked"),
        ("shares-state", "call.serves-many-at-once", "keeps the request of a call in itself"),
        ("rate-is-server", "error.has-its-class", "takes HTTP 429 for a failure of the server"),
        ("lost-is-empty", "retrieval.misses-a-collection", "finds nothing in what is not there"),
        ("forgets-models", "retrieval.remembers-its-collections", "forgets what was kept of it"),
        ("drops-none", "retrieval.drops", "keeps a dropped collection"),
    ),
)
"""By modality; the clauses are those of `docs/contract.md`."""
