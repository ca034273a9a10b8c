"""Networks by name: whatever the backbone, the logits are the mean of the class activation maps plus a bias."""

import pytest
import torch
from torch import nn

from xray_ai.training.networks import NETWORKS, ActivationMapNetwork, build_network

pytestmark = pytest.mark.training


@pytest.mark.parametrize("name", ["efficientnet-lite0", "densenet121"])
def test_logits_are_the_mean_of_the_maps_plus_a_bias(name: str) -> None:
    network = build_network(name, outputs=3, dropout=0.0).eval()
    nn.init.normal_(network.bias, generator=torch.Generator().manual_seed(1))

    with torch.no_grad():
        logits, activation = network(torch.rand(2, 1, 64, 64))

    assert (logits.shape, activation.shape) == ((2, 3), (2, 3, 2, 2))
    torch.testing.assert_close(logits, activation.mean((2, 3)) + network.bias)


def test_a_map_is_brighter_where_the_features_speak_for_the_finding() -> None:
    network = ActivationMapNetwork(nn.Identity(), channels=1, outputs=1, dropout=0.0).eval()
    nn.init.ones_(network.classifier.weight)
    image = torch.zeros(1, 1, 4, 4)
    image[0, 0, 1, 2] = 5.0

    _, activation = network(image)

    assert activation[0, 0].argmax().item() == 1 * 4 + 2


def test_an_unknown_network_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"no network 'resnet'.*densenet121, efficientnet-lite0"):
        build_network("resnet", outputs=1, dropout=0.0)


def test_these_are_the_networks_that_a_run_can_name() -> None:
    assert {"efficientnet-lite0", "densenet121"} <= NETWORKS.keys()
