"""Configurations of runs on the built-in corpus that take seconds: every pipeline and every study."""

from typing import Any

Config = dict[str, Any]


def requests(partition: str, *, n_rows: int, lang: str = "en") -> Config:
    """Return the requests of a partition, as a configuration names them."""
    return {"path": "builtin:requests", "lang": lang, "n_rows": n_rows, "where": {"partition": partition}}


_INTENT_DATA: Config = {
    "annotated": {
        **{part: requests(part, n_rows=600) for part in ("train", "dev", "test")},
        "n_seed": 10,
    },
    "pool": [{"path": "builtin:general", "n_rows": 200}],
}
_INTENT_RUN: Config = {
    "relevance": {"cutoff": {"n_kept": 40}},
    "diversity": {"method": "all"},
    "self_training": {"n_rounds": 1},
}
INTENT: Config = {"name": "small", "data": {"intents": ["alarm_set"], **_INTENT_DATA}, **_INTENT_RUN}
INTENT_STUDY: Config = {
    "study": "intent",
    "name": "small-study",
    "random_seeds": [1],
    "seed_sizes": [10],
    "functionalities": {"alarm": ["alarm_set"]},
    "reported": ["alarm"],
    "corpora": {"built-in": {"data": _INTENT_DATA}},
    "run": _INTENT_RUN,
    "systems": {"all": {}, "random half": {"diversity": {"method": "random", "fraction": 0.5}}},
}
GROWTH: Config = {
    "name": "small",
    "data": {
        "labelled": requests("train", n_rows=400),
        "intents": ["alarm_set", "alarm_remove"],
        "pool": [requests("train", n_rows=600)],
        "dev": requests("dev", n_rows=600),
        "test": requests("test", n_rows=600),
        "first_model": {"n_rounds": 0, "n_crf_iterations": 15},
    },
    "drift": {"n_groups": 4},
    "model": {"n_crf_iterations": 15, "n_calibration_folds": 2, "most_pool": 100},
    "annotation": {"batch_size": 4},
    "certificate": {"margin": 0.3},
}
LANGUAGE: Config = {
    "name": "tiny",
    "data": {
        "source_lang": "en",
        "target_lang": "hi",
        "transcripts": requests("train", n_rows=60, lang="hi"),
        "n_transcripts": 20,
        "source": [requests("train", n_rows=60)],
        "pairs": [{"path": "builtin:pairs", "n_rows": 250}],
        "dev": requests("dev", n_rows=60, lang="hi"),
        "test": requests("test", n_rows=60, lang="hi"),
        "dev_source": requests("dev", n_rows=60),
    },
    "pair_selection": {"n_dimensions": 4},
    "translators": {
        "selected": {
            "n_target_tokens": 3000,
            "tokens_per_batch": 400,
            "n_subwords": 400,
            "shape": {"width": 16, "n_encoder_layers": 1, "n_decoder_layers": 1, "n_heads": 2, "dropout": 0},
            "n_evaluations": 1,
            "n_dev_pairs": 5,
        },
        "self_training": {
            "n_best": 2,
            "training": {"n_target_tokens": 500, "tokens_per_batch": 400, "n_evaluations": 1, "n_dev_pairs": 5},
        },
    },
    "translation": {"n_best": 3},
    "rescoring": {"n_tuning": 5},
    "systems": {
        "transcripts": ["transcripts"],
        "general text": ["transcripts", "general"],
        "all": [
            "transcripts",
            "general",
            {
                "source": "translations",
                "translator": "self_trained",
                "entities": True,
                "rescored": True,
                # A translator of a second's training knows no whole words.
                "kept": {"known_words_only": False},
            },
        ],
    },
    "recogniser": {
        "test_bed": {"n_sentences": 40, "n_epochs": 1},
        "decoder": {"beam_size": 8, "n_tuning": 3},
    },
}
LANGUAGE_STUDY: Config = {
    **{name: part for name, part in LANGUAGE.items() if name != "data"},
    "study": "language",
    "name": "tiny-study",
    "random_seeds": [1],
    "sizes": [20],
    "data": {
        **{name: part for name, part in LANGUAGE["data"].items() if name != "n_transcripts"},
        "oracle_target": requests("train", n_rows=60, lang="hi"),
    },
    "systems": {**LANGUAGE["systems"], "truth": ["transcripts", "general", "oracle_target"]},
    "baseline": "transcripts",
    "general": "general text",
    "reported": "all",
    "translations": "all",
    "oracle": "truth",
}
GROWTH_STUDY: Config = {
    "study": "growth",
    "name": "growth-test",
    "intents": ["alarm_set", "weather_query"],
    "train": requests("train", n_rows=1500),
    "test": requests("test", n_rows=1500),
    "pool": {"path": "builtin:general", "n_rows": 100},
    "certificate_on": requests("dev", n_rows=600),
    "margin": 0.01,
    "n_seed": 8,
    "n_background": 20,
    "n_other": 20,
    "n_general": 10,
    "n_labels": 4,
    "model": {"n_crf_iterations": 10, "n_calibration_folds": 2, "most_pool": 40},
    "systems": {
        "seed_only": {},
        "random": {"labels": "random"},
        "chosen": {"labels": "mixed", "certified": True},
        "grown": {"labels": "mixed", "self_training": True},
        "oracle": {"oracle": True, "measured_rounds": [2]},
    },
}
