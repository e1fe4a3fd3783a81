"""Sizes of translators that are known to work, by name."""

from collections.abc import Mapping

from seedcorn.translation.settings import NetworkShape, TrainingSettings

PRESETS: Mapping[str, TrainingSettings] = {
    # A minute on one CPU thread, for a few thousand pairs of a small world such as the built-in corpus.
    "tiny": TrainingSettings(
        n_target_tokens=700_000,
        tokens_per_batch=2_000,
        learning_rate=2e-3,
        n_warmup_steps=100,
        n_subwords=1_200,
        shape=NetworkShape(width=128, n_encoder_layers=2, n_decoder_layers=1, dropout=0.0),
        n_evaluations=3,
    ),
    # Hours on a CPU, minutes on a GPU, for 10^5 to 10^6 pairs.
    "small": TrainingSettings(n_target_tokens=50_000_000),
    # For a GPU and 10^6 pairs or more.
    "base": TrainingSettings(
        n_target_tokens=500_000_000,
        tokens_per_batch=25_000,
        learning_rate=1e-3,
        n_warmup_steps=4_000,
        n_subwords=16_000,
        max_length=128,
        shape=NetworkShape(width=512, n_encoder_layers=6, n_decoder_layers=3, n_heads=8),
        n_evaluations=50,
        patience=8,
        n_dev_pairs=1_000,
    ),
}

# For a pretrained checkpoint: a gentle rate, a short budget, batches that fit beside a few hundred million parameters.
FINE_TUNING = TrainingSettings(
    n_target_tokens=2_000_000, tokens_per_batch=1_500, learning_rate=3e-5, n_warmup_steps=100, max_length=128
)
