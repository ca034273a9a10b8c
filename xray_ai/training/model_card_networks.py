"""What the model card says of the pack's networks: which runs where, and what 8 bits changed."""

from xray_ai.inference.pack_card import NetworkCard, PackCard, QuantizationCard

PRECISIONS = {"float32": "single precision", "int8": "8-bit integers"}
DEVICES = {"cpu": "CPU", "cuda": "CUDA"}


def stated_networks(card: PackCard) -> list[str]:
    """Name each network and, where 8 bits were tried, what was measured; nothing of a pack that never tried."""
    if card.quantization is None:
        return []
    return ["## Arithmetic", "", *(_network(network) for network in card.networks), "", *_change(card)]


def _network(network: NetworkCard) -> str:
    where = " and ".join(DEVICES[device] for device in network.devices)
    return f"- `{network.file}`, in {PRECISIONS[network.precision]}, runs on {where}."


def _change(card: PackCard) -> list[str]:
    quantization = card.quantization
    if quantization is None:
        return []
    names = {finding.key: finding.name for finding in card.findings}
    rows = [
        f"| {names[key]} | {one.float32:.4f} | {one.int8:.4f} | {one.loss:+.4f} | {one.positives} |"
        for key, one in quantization.auroc.items()
    ]
    return [
        _sentences(quantization),
        "",
        "| finding | AUROC, single precision | AUROC, 8 bits | loss | positives |",
        "|---|---|---|---|---|",
        *rows,
        "",
    ]


def _sentences(quantization: QuantizationCard) -> str:
    outcome = "The 8-bit network ships" if quantization.passed else "The 8-bit network does not ship"
    loss = "not measured" if quantization.mean_loss is None else f"{quantization.mean_loss:+.4f}"
    return (
        f"{outcome}: {'; '.join(quantization.because)}. Measured on {quantization.measured_on}, calibrated on"
        f" {quantization.calibrated_on}; {quantization.float_convolutions} of {quantization.convolutions} convolutions"
        f" stay in single precision. {quantization.times_faster:g} times faster on one thread; mean loss of AUROC"
        f" {loss}; a logit moves by {quantization.mean_logit_change:.3f} on average, a"
        f" probability before calibration by {quantization.mean_probability_change:.4f} on average and"
        f" {quantization.largest_probability_change:.3f} at most."
    )
