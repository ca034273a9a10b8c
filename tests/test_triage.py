"""How soon: the policy decides, reasons are kept, and nothing falls below its ordered priority."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray_ai.app import DEFAULT_POLICY
from xray_ai.domain.finding import ABNORMALITY, Code, Finding, FindingKey, Score
from xray_ai.domain.priority import Priority
from xray_ai.triage import PolicyUnsound, TriagePolicy, triage

POLICY = TriagePolicy.parse(
    """
    name = "test"
    [priorities]
    pneumothorax = "STAT"
    mass = "HIGH"
    nodule = "HIGH"
    abnormality = "HIGH"
    """
)
KEYS = ("pneumothorax", "mass", "nodule", "hernia", "pleural_effusion", ABNORMALITY)
PRIORITIES = st.sampled_from(list(Priority))


def a_score(key: str, probability: float) -> Score:
    finding = Finding(FindingKey(key), key.capitalize(), Code("99TEST", key, key))
    return Score(finding, probability, operating_point=0.5, rule_out_point=0.1)


SCORES = st.lists(st.builds(a_score, st.sampled_from(KEYS), st.floats(0, 1)), max_size=8)


@given(scores=SCORES, ordered=PRIORITIES)
def test_a_study_is_never_sunk_below_its_ordered_priority(scores: list[Score], ordered: Priority) -> None:
    assert triage(scores, POLICY, ordered).priority >= ordered


@given(scores=SCORES, ordered=PRIORITIES, more=st.sampled_from(KEYS))
def test_one_more_finding_never_makes_a_study_less_urgent(scores: list[Score], ordered: Priority, more: str) -> None:
    before = triage(scores, POLICY, ordered)

    after = triage([*scores, a_score(more, 0.9)], POLICY, ordered)

    assert after.priority >= before.priority
    assert len(after.because) == len(before.because) + 1


@given(scores=SCORES, ordered=PRIORITIES)
def test_the_reasons_are_the_findings_at_or_above_their_operating_point(scores: list[Score], ordered: Priority) -> None:
    because = triage(scores, POLICY, ordered).because

    assert sorted(map(id, because)) == sorted(id(score) for score in scores if score.probability >= 0.5)


@given(scores=SCORES)
def test_reasons_are_sorted_by_urgency_then_a_named_finding_first_then_by_probability(scores: list[Score]) -> None:
    because = triage(scores, POLICY).because

    ranks = [
        (POLICY.priority_of(score.finding.key), score.finding.key != ABNORMALITY, score.probability)
        for score in because
    ]
    assert ranks == sorted(ranks, reverse=True)


def test_a_faint_stat_finding_outranks_a_certain_high_one() -> None:
    mass, pneumothorax = a_score("mass", 0.99), a_score("pneumothorax", 0.51)

    decision = triage([mass, pneumothorax], POLICY)

    assert decision.priority is Priority.STAT
    assert decision.because == (pneumothorax, mass)


def test_a_finding_exactly_at_its_operating_point_counts() -> None:
    assert triage([a_score("mass", 0.5)], POLICY).priority is Priority.HIGH


def test_a_finding_below_its_operating_point_is_no_reason() -> None:
    decision = triage([a_score("pneumothorax", 0.4999)], POLICY)

    assert decision.priority is Priority.ROUTINE
    assert decision.because == ()


def test_a_finding_that_the_policy_does_not_list_stays_routine_with_its_reason() -> None:
    hernia = a_score("hernia", 0.9)

    decision = triage([hernia], POLICY)

    assert decision.priority is Priority.ROUTINE
    assert decision.because == (hernia,)


def test_abnormality_without_a_name_is_at_most_high() -> None:
    assert triage([a_score(ABNORMALITY, 1.0)], POLICY).priority is Priority.HIGH


def test_an_ordered_stat_stays_stat_when_nothing_is_flagged() -> None:
    decision = triage([a_score("mass", 0.1)], POLICY, ordered=Priority.STAT)

    assert decision.priority is Priority.STAT
    assert decision.because == ()


def test_the_default_policy_is_that_of_decision_15() -> None:
    policy = TriagePolicy.parse(DEFAULT_POLICY.read_text("utf-8"))

    assert dict(policy.priorities) == {
        **dict.fromkeys(("pneumothorax", "tension_pneumothorax", "pneumoperitoneum"), Priority.STAT),
        **dict.fromkeys(("mass", "nodule", "pneumonia", "edema", "consolidation"), Priority.HIGH),
    }


def test_the_digest_changes_with_the_text_of_the_policy() -> None:
    text = 'name = "ours"\n[priorities]\nmass = "HIGH"\n'

    digests = [TriagePolicy.parse(version).digest for version in (text, f"# approved\n{text}", text)]

    assert digests[0] == digests[2] != digests[1]
    assert all(len(digest) == 64 for digest in digests)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("priorities = [", "it is no TOML"),
        ("", r"it needs name and \[priorities\]"),
        ('name = "x"', r"it needs name and \[priorities\]"),
        ('priorities = "mass"', r"it needs name and \[priorities\]"),
        ('[priorities]\nmass = "HIGH"\n[ages]\nover = 60', "'ages'"),
        ('[priorities]\nmass = "URGENT"', "mass is 'URGENT'; it must be one of ROUTINE, HIGH, STAT"),
        ('[priorities]\nmass = "high"', "mass is 'high'"),
        ("[priorities]\nmass = 1", "mass is 1"),
        ('[priorities]\nmass = ["HIGH"]', "mass is "),
        ('[priorities.mass]\nabove = "HIGH"', "mass is "),
        ('[priorities]\nabnormality = "STAT"', "abnormality alone may not be above HIGH"),
    ],
)
def test_a_policy_that_makes_no_sense_needs_an_operator(text: str, named: str) -> None:
    with pytest.raises(PolicyUnsound, match=named):
        TriagePolicy.parse(text)
