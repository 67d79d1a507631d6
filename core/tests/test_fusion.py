"""Several rankings as one."""

from anymodal.modalities.fusion import CONSTANT, depth_for, fused
from anymodal.modalities.retrieval import Hit
from hypothesis import given
from hypothesis import strategies as st

IDS = st.lists(st.sampled_from("abcdefghij"), unique=True, max_size=8)
RANKINGS = st.lists(IDS, max_size=4)


def hits(ids):
    return [Hit(id=one, score=1.0 - place / 10) for place, one in enumerate(ids)]


def order(rankings, limit=20):
    return [hit.id for hit in fused([hits(one) for one in rankings], limit)]


def test_what_both_have_goes_before_what_one_has():
    """A second place in each is more than a first place in one."""
    found = fused([hits("ab"), hits("cb")], 2)

    assert ["b", "a"] == [hit.id for hit in found]
    assert 2 / (CONSTANT + 2) == found[0].score


@given(RANKINGS.flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_order_of_the_rankings_does_not_matter(both):
    """Neither for the places nor for the scores, to the last bit."""
    one, other = both

    assert fused(list(map(hits, one)), 20) == fused(list(map(hits, other)), 20)


@given(RANKINGS, st.integers(0, 3), st.integers(1, 7))
def test_rising_in_a_ranking_never_costs_a_place(rankings, which, at):
    """It is monotone: who is moved up in one ranking stands no lower in the whole."""
    if which >= len(rankings) or at >= len(rankings[which]):
        return
    risen = [list(one) for one in rankings]
    ranking = risen[which]
    who = ranking[at]
    ranking[at - 1], ranking[at] = who, ranking[at - 1]

    assert order(risen).index(who) <= order(rankings).index(who)


@given(RANKINGS, st.integers(1, 10))
def test_limit_cuts_and_changes_nothing(rankings, limit):
    """The best few are the same few."""
    assert order(rankings)[:limit] == order(rankings, limit)
    assert set(order(rankings)) == {one for ranking in rankings for one in ranking}


@given(IDS)
def test_one_ranking_stays_as_it_is(ids):
    """And so do two that agree."""
    assert ids == order([ids]) == order([ids, ids])


def test_more_is_asked_for_than_is_wanted():
    """What is third in both would be lost where each gave two."""
    assert (50, 80) == (depth_for(1), depth_for(20))
