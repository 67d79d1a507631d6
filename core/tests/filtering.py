"""Filters and payloads made up, and what filters let through by sets alone."""

from anymodal.modalities.filters import And, Eq, In, Not, Or, Range
from hypothesis import strategies as st

FIELDS = st.sampled_from(["kind", "n", "a-b", "0"])
SCALARS = st.sampled_from(["a", "b", "", 0, 1, -3, True, False])
VALUES = st.one_of(
    st.none(), SCALARS, st.sampled_from([0.0, 1.0, 0.5, -2.5]), st.lists(SCALARS, max_size=3)
)
PAYLOADS = st.lists(st.dictionaries(FIELDS, VALUES, max_size=3), min_size=1, max_size=6)
BOUNDS = st.one_of(st.none(), st.sampled_from([-3, -2.5, 0, 0.5, 1]))


def _range(field, gt, gte, lt, lte):
    bounds = {"gt": gt, "gte": gte, "lt": lt, "lte": lte}
    return Range(field, **bounds if any(one is not None for one in bounds.values()) else {"gt": 0})


LEAVES = st.one_of(
    st.builds(Eq, FIELDS, SCALARS),
    st.builds(In, FIELDS, st.lists(SCALARS, min_size=1, max_size=3)),
    st.builds(_range, FIELDS, BOUNDS, BOUNDS, BOUNDS, BOUNDS),
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: And(*parts)),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Or(*parts)),
        inner.map(Not),
    ),
    max_leaves=6,
)


def by_hand(condition, payloads):
    """Return the places of those that are let through."""
    everywhere = set(range(len(payloads)))
    match condition:
        case And(parts):
            return everywhere.intersection(*(by_hand(part, payloads) for part in parts))
        case Or(parts):
            return set().union(*(by_hand(part, payloads) for part in parts))
        case Not(part):
            return everywhere - by_hand(part, payloads)
    return {at for at in everywhere if _leaf(condition, payloads[at].get(condition.field))}


def _leaf(condition, found):
    values = found if isinstance(found, list) else [found]
    if isinstance(condition, Range):
        numbers = [one for one in values if type(one) in {int, float}]
        return any(
            (condition.gt is None or condition.gt < one)
            and (condition.gte is None or condition.gte <= one)
            and (condition.lt is None or condition.lt > one)
            and (condition.lte is None or condition.lte >= one)
            for one in numbers
        )
    wanted = [condition.value] if isinstance(condition, Eq) else condition.values
    return bool({(type(one), one) for one in values} & {(type(one), one) for one in wanted})
