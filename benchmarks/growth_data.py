"""What the measurements of growth share: agents of ten intents, their pools, and an annotator who knows all."""

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from seedcorn.corpus.formats import read_corpus
from seedcorn.corpus.partitions import rows_where
from seedcorn.corpus.utterances import Utterance
from seedcorn.evaluation.nlu import Outcomes, outcomes
from seedcorn.files import Json
from seedcorn.input_files import digest_of_file
from seedcorn.nlu.linear import LinearNlu, LinearSettings, train_linear
from seedcorn.nlu.model import NluTrainer
from seedcorn.nlu.out_of_scope import OUT_OF_SCOPE
from seedcorn.nlu.sentence_encoder import load_sentence_encoder
from seedcorn.runs import digest_of_json
from seedcorn.studies.results import Results, write_results

RESULTS = Path(__file__).parent / "results"
DEVELOPMENT = (
    "alarm_set",
    "play_music",
    "weather_query",
    "lists_createoradd",
    "lists_remove",
    "email_sendemail",
    "calendar_query",
    "play_radio",
    "qa_currency",
    "iot_coffee",
    "social_post",
)
REPORTED = (
    "calendar_remove",
    "email_query",
    "datetime_query",
    "play_podcasts",
    "transport_query",
    "recommendation_events",
    "qa_definition",
    "takeaway_order",
    "play_audiobook",
    "lists_query",
)
N_CRF_ITERATIONS = 40


def data_file(name: str) -> Path:
    """Return the file ``name`` of the real data sets."""
    return Path(os.environ["SEEDCORN_DATA"]) / name


@cache
def massive(partition: str) -> tuple[Utterance, ...]:
    """Return a partition of MASSIVE en-US."""
    corpus = read_corpus(data_file("massive/en-US.jsonl.gz"))
    return tuple(rows_where(corpus, "partition", {partition}).utterances())


@cache
def open_text(origin: str, n_texts: int) -> tuple[Utterance, ...]:
    """Return ``n_texts`` texts of one origin of the open pool, evenly drawn."""
    corpus = rows_where(read_corpus(data_file("pool/en.tsv.gz")), "origin", {origin})
    rows = corpus.utterances()
    places = np.linspace(0, len(rows) - 1, min(n_texts, len(rows))).astype(np.int64)
    return tuple(replace(rows[i], intent=OUT_OF_SCOPE, slots=()) for i in places.tolist())


@dataclass(frozen=True, kw_only=True)
class Setting:
    """An agent's labelled utterances, a pool whose labels only the annotator knows, and what is tested on."""

    intents: tuple[str, ...]
    labelled: list[Utterance]
    pool: list[Utterance]
    test: list[Utterance]
    outside: list[Utterance]


def as_scope(utterance: Utterance, intents: Sequence[str]) -> Utterance:
    """Return the utterance as an annotator of an agent of ``intents`` labels it."""
    return utterance if utterance.intent in intents else replace(utterance, intent=OUT_OF_SCOPE, slots=())


def cut(
    train: Sequence[Utterance],
    test: Sequence[Utterance],
    intents: Sequence[str],
    *,
    n_seed: int,
    random_seed: int,
    n_pool: tuple[int, int] = (1000, 1000),
    n_test: int = 800,
) -> Setting:
    """Return a setting: ``n_seed`` labelled utterances an intent, 200 others; ``n_pool`` own and other ones hidden."""
    rng = np.random.default_rng(random_seed)
    rows = [as_scope(train[i], intents) for i in rng.permutation(len(train)).tolist()]
    labelled = [u for intent in intents for u in [r for r in rows if r.intent == intent][:n_seed]]
    known = {id(u) for u in labelled}
    own = [u for u in rows if u.intent in intents and id(u) not in known][: n_pool[0]]
    others = [u for u in rows if u.intent not in intents]
    tested = [as_scope(test[i], intents) for i in rng.permutation(len(test)).tolist()]
    return Setting(
        intents=tuple(intents),
        labelled=[*labelled, *others[:200]],
        pool=[*own, *others[200 : 200 + n_pool[1]]],
        test=[u for u in tested if u.intent in intents][:n_test],
        outside=[u for u in tested if u.intent not in intents][:300],
    )


def settings_for(intents: Sequence[str], encoder: str | None = None) -> LinearSettings:
    """Return how the linear model is trained: without encoder, or with one, frozen and fine-tuned."""
    return LinearSettings(
        slot_intents=tuple(intents),
        slot_intent_copies=1,
        n_crf_iterations=N_CRF_ITERATIONS,
        encoder=load_sentence_encoder(encoder) if encoder else None,
        fine_tune_slots=encoder is not None,
        fine_tune_intents=encoder is not None,
    )


def trainer(intents: Sequence[str]) -> NluTrainer:
    """Return the trainer of all measurements: the linear model without encoder."""
    return partial(train_linear, settings=settings_for(intents))


def train(utterances: Sequence[Utterance], intents: Sequence[str], encoder: str | None = None) -> LinearNlu:
    """Return the linear model of ``utterances``."""
    return train_linear(utterances, settings=settings_for(intents, encoder))


def measured(model: LinearNlu, references: Sequence[Utterance]) -> Outcomes:
    """Return what the model makes of annotated utterances."""
    return outcomes(references, model.predict([u.text for u in references]))


def shown(row: dict[str, Json]) -> dict[str, Json]:
    """Print ``row`` and return it."""
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()
    return row


def written(name: str, rows: Sequence[dict[str, Json]], summary: dict[str, Json], config: dict[str, Json]) -> None:
    """Write the results of the reported intents, made by the command of the running script."""
    write_results(
        Results(
            name=name,
            command=f"python benchmarks/{Path(sys.argv[0]).name}",
            config_digest=digest_of_json({"intents": list(REPORTED), **config}),
            data_digests={
                data: digest_of_file(data_file(path))
                for data, path in (("massive", "massive/en-US.jsonl.gz"), ("pool", "pool/en.tsv.gz"))
            },
            random_seeds=[1],
            rows=list(rows),
            summary=summary,
        ),
        RESULTS,
    )


def cpu_seconds() -> float:
    """Return the seconds of processor time so far."""
    return time.process_time()
