from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.mark.parametrize("n_rows", [1, 127, 300])
def test_value_and_gradient_are_those_of_torch(n_rows: int) -> None:
    from seedcorn.translation.batching import IGNORED_LABEL
    from seedcorn.translation.smoothed_loss import LABEL_SMOOTHING, smoothed_loss

    generator = torch.Generator().manual_seed(n_rows)
    logits = torch.randn(n_rows, 50, generator=generator) * 3
    labels = torch.randint(0, 50, (n_rows,), generator=generator)
    labels[1::3] = IGNORED_LABEL
    own, expected = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    loss = smoothed_loss(SimpleNamespace(logits=own.unsqueeze(0)), labels.unsqueeze(0))
    of_torch = torch.nn.functional.cross_entropy(
        expected, labels, ignore_index=IGNORED_LABEL, label_smoothing=LABEL_SMOOTHING
    )
    (2 * loss).backward()
    (2 * of_torch).backward()
    torch.testing.assert_close(loss, of_torch)
    torch.testing.assert_close(own.grad, expected.grad)


def test_nothing_but_ignored_labels_costs_nothing() -> None:
    from seedcorn.translation.batching import IGNORED_LABEL
    from seedcorn.translation.smoothed_loss import smoothed_loss

    logits = torch.randn(4, 7, requires_grad=True)
    loss = smoothed_loss(SimpleNamespace(logits=logits), torch.full((4,), IGNORED_LABEL))
    loss.backward()
    assert loss.item() == 0.0
    assert not logits.grad.any()
