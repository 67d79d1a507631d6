"""
What an emulated server keeps, and how it finds it.

The counting is done by the embedded store of Qdrant's own client, which its authors
hold to the server's results. What that store says of payload indexes, of vectors of
the wrong length in a query, and of what is not there, is put right here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol, cast

from anymodal_emulator.app import Memory
from qdrant_client import QdrantClient, models

from .bodies import invalid, wrong

__all__ = ["Engine", "engine_of"]

KEPT: Final = "engine"
LONGEST: Final = 65_536
"""Numbers of a dense vector."""
_NO_POINT: Final = re.compile(r"Point (\S+) is not found")


class Level(Protocol):
    """A query, or one of those whose results it is made from."""

    query: Any
    using: str | None
    prefetch: Any


class Engine:
    """The collections of one server."""

    def __init__(self) -> None:
        self.store = QdrantClient(":memory:", force_disable_check_same_thread=True)
        self._indexes: dict[str, dict[str, models.PayloadFieldSchema]] = {}
        self._operations: dict[str, int] = {}

    # -- collections ----------------------------------------------------------------------

    def real_name(self, name: str) -> str:
        """
        Return the collection that is called *name*, maybe by an alias.

        Raises:
            RefusedError: There is none.
        """
        aliases = {one.alias_name: one.collection_name for one in self.store.get_aliases().aliases}
        if not self.store.collection_exists(name):
            raise wrong(words=f"Not found: Collection `{name}` doesn't exist!", status=404)
        return aliases.get(name, name)

    def create(self, name: str, body: models.CreateCollection) -> bool:
        """Make a collection."""
        if self.store.collection_exists(name):
            raise wrong(words=f"Wrong input: Collection `{name}` already exists!", status=409)
        thick = body.vectors or {}
        for one in thick.values() if isinstance(thick, Mapping) else [thick]:
            if not 1 <= one.size <= LONGEST:
                raise invalid(field="vectors.size", value=one.size, need=f"from 1 to {LONGEST}")
        with refusals():
            return self.store.create_collection(
                name,
                vectors_config=thick,
                sparse_vectors_config=body.sparse_vectors,
                metadata=body.metadata,
            )

    def drop(self, name: str) -> bool:
        """Take a collection away; an alias is none."""
        found = name in {one.name for one in self.store.get_collections().collections}
        if found:
            self.store.delete_collection(name)
            self._indexes.pop(name, None)
        return found

    def info(self, name: str) -> dict[str, Any]:
        """Return what a collection is made of, its indexes included."""
        real = self.real_name(name)
        found = self.store.get_collection(real).model_dump(mode="json")
        params = found["config"]["params"]
        bare = {"shard_number": 1, "replication_factor": 1, "write_consistency_factor": 1}
        params |= {key: value for key, value in bare.items() if params[key] is None}
        params["on_disk_payload"] = params["on_disk_payload"] or False
        for key in ("vectors", "sparse_vectors"):  # the server says nothing of what is not set
            params[key] = _said(params[key])
        params = {key: value for key, value in params.items() if value is not None}
        config = {key: value for key, value in found["config"].items() if value is not None}
        indexes = {
            field: {
                "data_type": _kind(schema),
                **_params(schema),
                "points": self._having(real, field),
            }
            for field, schema in self._indexes.get(real, {}).items()
        }
        found = {key: value for key, value in found.items() if value is not None}
        return {**found, "config": {**config, "params": params}, "payload_schema": indexes}

    def _having(self, name: str, field: str) -> int:
        lacking = models.IsEmptyCondition(is_empty=models.PayloadField(key=field))
        wanted = models.Filter(must_not=[lacking])
        return self.store.count(name, count_filter=wanted).count

    def index(self, name: str, field: str, schema: models.PayloadFieldSchema) -> None:
        """Note an index; only that of words in order of their weight changes an answer."""
        self._indexes.setdefault(name, {})[field] = schema
        if isinstance(schema, models.TextIndexParams) and schema.scoring:
            with refusals():
                self.store.create_payload_index(name, field, schema)

    def unindex(self, name: str, field: str) -> None:
        """Forget an index."""
        schema = self._indexes.get(name, {}).pop(field, None)
        if isinstance(schema, models.TextIndexParams) and schema.scoring:
            self.store.delete_payload_index(name, field)

    def done(self, name: str, *, waited: bool) -> dict[str, object]:
        """Return the receipt of a change; it is done at once, and said to be so if waited for."""
        number = self._operations.get(name, 0)
        self._operations[name] = number + 1
        return {"operation_id": number, "status": "completed" if waited else "acknowledged"}

    # -- points ---------------------------------------------------------------------------

    def query(self, name: str, body: models.QueryRequest) -> list[dict[str, Any]]:
        """Return the nearest."""
        limit = 10 if body.limit is None else body.limit
        if limit < 1:
            raise invalid(field="limit", value=limit, need="1 or larger")
        self._check(name, body)
        with refusals():
            found = self.store.query_points(
                name,
                query=body.query,
                using=body.using,
                prefetch=body.prefetch,
                query_filter=body.filter,
                search_params=None,  # all are compared
                limit=limit,
                offset=body.offset,
                with_payload=body.with_payload or False,
                with_vectors=body.with_vector or False,
                score_threshold=body.score_threshold,
                lookup_from=body.lookup_from,
            )
        return [plain(one) for one in found.points]

    def _check(self, name: str, level: Level) -> None:
        """
        See that the vectors of a query, and of those below it, fit.

        Raises:
            RefusedError: One has another length, or there are none of that name.
        """
        for below in _below(level):
            self._check(name, below)
        params = self.store.get_collection(name).config.params
        thick = params.vectors or {}
        sizes = (
            {key: one.size for key, one in thick.items()}
            if isinstance(thick, Mapping)
            else {"": thick.size}
        )
        sparse = set(params.sparse_vectors or {})
        given = level.query.nearest if isinstance(level.query, models.NearestQuery) else level.query
        using = level.using or ""
        if not isinstance(given, list | models.SparseVector):
            return
        if using not in (sparse if isinstance(given, models.SparseVector) else sizes):
            raise wrong(words=f"Wrong input: Not existing vector name error: {using}")
        if isinstance(given, models.SparseVector) or (given and isinstance(given[0], list)):
            return
        if len(given) != sizes[using]:
            words = f"Vector dimension error: expected dim: {sizes[using]}, got {len(given)}"
            raise wrong(words=f"Wrong input: {words}")


def engine_of(memory: Memory) -> Engine:
    """Return what the server of this memory keeps."""
    if KEPT not in memory.kept:
        memory.kept[KEPT] = Engine()
    return cast("Engine", memory.kept[KEPT])


@contextmanager
def refusals() -> Iterator[None]:
    """Say in the server's words what the embedded store says in exceptions."""
    try:
        yield
    except NotImplementedError as error:
        raise wrong(words=f"This stand-in has no such thing: {error}", status=501) from error
    except KeyError as error:
        gone = error.args[0]
        first = gone[0] if isinstance(gone, list | tuple) and gone else gone
        raise wrong(words=f"Not found: No point with id {first} found", status=404) from error
    except (ValueError, TypeError) as error:
        words = str(error)
        if missing := _NO_POINT.search(words):
            raise wrong(
                words=f"Not found: No point with id {missing[1]} found", status=404
            ) from error
        words = re.sub(r" for vector '\w*'$", "", words.removeprefix("Wrong input: "))
        raise wrong(words=f"Wrong input: {words}") from error


def plain(point: models.ScoredPoint | models.Record) -> dict[str, Any]:
    """Return a point as it goes over the wire; what was not asked for is left out."""
    found = point.model_dump(mode="json", warnings=False)
    return {name: value for name, value in found.items() if value is not None}


def _below(level: Level) -> Sequence[Level]:
    given = level.prefetch
    return given if isinstance(given, list) else [given] if given is not None else []


def _said(vectors: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return parameters of vectors without those that nobody set."""
    if vectors is None:
        return None
    return {
        key: _said(value) if isinstance(value, dict) else value
        for key, value in vectors.items()
        if value is not None
    }


def _kind(schema: models.PayloadFieldSchema) -> str:
    if isinstance(schema, models.PayloadSchemaType):
        return str(schema.value)
    return str(getattr(schema.type, "value", schema.type))


def _params(schema: models.PayloadFieldSchema) -> dict[str, object]:
    if isinstance(schema, models.PayloadSchemaType):
        return {}
    found = schema.model_dump(mode="json")
    return {"params": {name: value for name, value in found.items() if value is not None}}
