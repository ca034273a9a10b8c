"""The network's answers, their loss, and the distance from chests."""

import pytest
import torch

from tests.training.scope.scope_runs import a_scope_run
from xray_ai.domain.scope import ScopeQuestion
from xray_ai.training.scope.lesson import QUESTIONS
from xray_ai.training.scope.network import LOGITS, ScopeNetwork, probabilities_of
from xray_ai.training.scope.one_class import OneClass, fit_one_class, with_limit
from xray_ai.training.scope.train import scope_loss

pytestmark = pytest.mark.training


def a_network() -> ScopeNetwork:
    torch.manual_seed(1)
    return ScopeNetwork(blocks=6, dropout=0.0).eval()


def labels_with(**said: float) -> torch.Tensor:
    return torch.tensor([[said.get(question.value, 0.0) for question in QUESTIONS]])


def sure_logits(place: int) -> torch.Tensor:
    """Logits that are sure of one answer; of the turns, place 1 is upright."""
    logits = torch.full((1, LOGITS), -9.0)
    logits[0, place] = 9.0
    return logits


def test_an_image_gets_one_probability_for_each_question() -> None:
    logits, features = a_network()(torch.randn(2, 1, 32, 32))

    probabilities = probabilities_of(logits)

    assert (probabilities.shape, len(features)) == ((2, len(QUESTIONS)), 2)
    assert bool(((probabilities >= 0) & (probabilities <= 1)).all())


def test_a_chest_cannot_be_turned_two_ways() -> None:
    turns = probabilities_of(torch.full((1, LOGITS), 5.0))[0, 1:4]

    torch.testing.assert_close(turns, torch.full((3,), 0.25))


@pytest.mark.parametrize(
    ("place", "question"), [(2, ScopeQuestion.TURNED_90), (4, ScopeQuestion.TURNED_270), (5, ScopeQuestion.INVERTED)]
)
def test_each_logit_stands_for_its_question(place: int, question: ScopeQuestion) -> None:
    assert probabilities_of(sure_logits(place))[0, QUESTIONS.index(question)] > 0.99


def test_the_loss_is_small_where_the_network_is_right_and_large_where_it_is_wrong() -> None:
    upright, turned = labels_with(), labels_with(turned_90=1.0)

    assert float(scope_loss(sure_logits(1), upright)) < 0.01
    assert float(scope_loss(sure_logits(1), turned)) > 5


def test_questions_without_an_answer_cost_nothing() -> None:
    no_chest = torch.full((1, len(QUESTIONS)), torch.nan)
    no_chest[0, 0] = 1.0
    both = torch.cat([labels_with(), no_chest])

    right = scope_loss(torch.cat([sure_logits(1), sure_logits(0)]), both)
    with_noise = scope_loss(torch.cat([sure_logits(1), sure_logits(0) + torch.eye(10)[8] * 50]), both)

    torch.testing.assert_close(right, with_noise)


def test_the_first_layers_stay_as_they_were() -> None:
    network = a_network()

    network.freeze(2)

    assert not any(parameter.requires_grad for parameter in network.stem.parameters())
    assert all(parameter.requires_grad for parameter in network.high.parameters())


def test_what_lies_far_from_chests_is_told_apart() -> None:
    near, far = torch.zeros(4, 3), torch.full((4, 3), 9.0)
    one_class = with_limit(OneClass(torch.zeros(1, 3), torch.eye(3), 0.0), torch.rand(50, 3), share=0.1)

    assert bool((one_class.probability(near) < 0.05).all())
    assert bool((one_class.probability(far) > 0.95).all())


def test_a_turned_chest_is_as_near_as_an_upright_one() -> None:
    centres = torch.tensor([[0.0, 0.0], [8.0, 0.0]])
    one_class = OneClass(centres, torch.eye(2), 0.0)

    distances = one_class.log_distance(torch.tensor([[0.5, 0.0], [8.5, 0.0], [4.0, 0.0]]))

    assert distances[0] == distances[1] < distances[2]


def test_the_share_that_passes_the_limit_is_the_one_asked_for() -> None:
    features = torch.randn(1000, 4, generator=torch.Generator().manual_seed(1))

    limited = with_limit(OneClass(torch.zeros(1, 4), torch.eye(4), 0.0), features, share=0.05)

    assert float((limited.probability(features) > 0.5).float().mean()) == pytest.approx(0.05, abs=0.002)


def test_the_distance_is_fitted_in_five_attitudes_and_with_four_faults() -> None:
    greys = torch.randint(0, 256, (6, 1, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))

    one_class = fit_one_class(a_network(), a_scope_run(), greys)

    assert len(one_class.centres) == 5 + 4
    assert bool(torch.isfinite(one_class.whitening).all())
