"""A neural NLU model in one file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seedcorn.files import Json, writing_whole
from seedcorn.nlu.bio_decoding import bio_labels
from seedcorn.nlu.encoders import described_encoder, description_of
from seedcorn.nlu.neural import JointNetwork, NeuralNlu, NeuralSettings, encoder_of
from seedcorn.nlu.tokens import OUTSIDE
from seedcorn.tensor_files import as_json, check_depth, check_seal, read_tensors, reading_saved, sealed, with_tensors

_ABOUT = "seedcorn_nlu"


def save_neural(model: NeuralNlu, path: Path) -> None:
    """Write ``model`` to one safetensors file with its description as JSON metadata; it appears whole or not at all."""
    from safetensors.numpy import save_file

    arrays = {name: tensor.contiguous().numpy() for name, tensor in model.network.state_dict().items()}
    description: dict[str, Json] = {
        "intents": model.intents,
        "labels": model.labels,
        # The encoder tells where it came from.
        "settings": {name: value for name, value in asdict(model.settings).items() if name != "checkpoint"},
        "encoder": description_of(model.network.encoder),
    }
    about = {_ABOUT: json.dumps(sealed(description, arrays), ensure_ascii=False)}
    with writing_whole(path) as partial:
        save_file(arrays, partial, metadata=about)


@dataclass(frozen=True)
class _Described:
    intents: tuple[str, ...]
    labels: tuple[str, ...]
    settings: NeuralSettings
    encoder: dict[str, str]
    sha256: str = ""


def load_neural(path: Path) -> NeuralNlu:
    """Return the model that ``save_neural`` wrote to ``path``; raises DataError when it is something else."""
    arrays, about = read_tensors(path, wanted="a neural NLU model", extra="neural")
    with reading_saved(path, wanted="a neural NLU model"):
        described = as_json(about[_ABOUT], _Described)
        if described.labels != bio_labels([label[2:] for label in described.labels if label != OUTSIDE]):
            raise ValueError("labels that are not BIO")
        check_seal(as_json(about[_ABOUT], dict[str, Any]), arrays)
        check_depth(described.settings.n_layers, arrays)

        def make() -> JointNetwork:
            encoder = described_encoder(described.encoder) if described.encoder else encoder_of(described.settings)
            n_intents, n_labels = len(described.intents), len(described.labels)
            return JointNetwork(encoder, n_intents=n_intents, n_labels=n_labels, dropout=described.settings.dropout)

        network = with_tensors(make, arrays)
    return NeuralNlu(network=network, intents=described.intents, labels=described.labels, settings=described.settings)
