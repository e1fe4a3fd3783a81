"""Seedcorn grows a small annotated seed into the training data that a new voice-agent capability needs.

The names below are the public ones; each is loaded when it is first used.
"""

__version__ = "0.2.0"

_HOMES = {
    # What the data are.
    "Corpus": "seedcorn.corpus.utterances",
    "Slot": "seedcorn.corpus.utterances",
    "Utterance": "seedcorn.corpus.utterances",
    "Prediction": "seedcorn.corpus.predictions",
    "read_corpus": "seedcorn.corpus.formats",
    "write_corpus": "seedcorn.corpus.formats",
    "read_pairs": "seedcorn.corpus.formats.pairs",
    "write_pairs": "seedcorn.corpus.formats.pairs",
    "builtin_general": "seedcorn.corpus.builtin",
    "builtin_pairs": "seedcorn.corpus.builtin",
    "builtin_requests": "seedcorn.corpus.builtin",
    "screen_pool": "seedcorn.corpus.contamination",
    # How in-domain, and what does it add?
    "Cutoff": "seedcorn.relevance.cutoff",
    "RelevanceSettings": "seedcorn.relevance.relevant",
    "find_relevant": "seedcorn.relevance.relevant",
    "fit_logistic": "seedcorn.relevance.logistic",
    "relevance_scores": "seedcorn.relevance.linear",
    "DiversityChoice": "seedcorn.diversity.choosing",
    "choose_diverse": "seedcorn.diversity.choosing",
    "select_diverse": "seedcorn.diversity.submodular",
    "Scores": "seedcorn.selection",
    "Selection": "seedcorn.selection",
    # Models of intent and slots.
    "NluModel": "seedcorn.nlu.saved_model",
    "LinearSettings": "seedcorn.nlu.linear",
    "train_linear": "seedcorn.nlu.linear",
    "train_teacher": "seedcorn.nlu.teacher",
    "GatedSettings": "seedcorn.nlu.self_training",
    "self_train": "seedcorn.nlu.self_training",
    "save_nlu": "seedcorn.nlu.saved_model",
    "load_nlu": "seedcorn.nlu.saved_model",
    # Language models.
    "NgramModel": "seedcorn.lm.ngram_model",
    "estimate": "seedcorn.lm.kneser_ney",
    "fit_mixture": "seedcorn.lm.interpolation",
    "static_model": "seedcorn.lm.interpolation",
    "prune_by_entropy": "seedcorn.lm.pruning",
    "measure_perplexity": "seedcorn.lm.perplexity",
    "read_model": "seedcorn.lm.model_file",
    "write_model": "seedcorn.lm.model_file",
    # Translation.
    "train_translator": "seedcorn.translation.training",
    "load_translator": "seedcorn.translation.translator",
    # How good is it, and is it chance?
    "word_errors": "seedcorn.evaluation.wer",
    "character_errors": "seedcorn.evaluation.wer",
    "outcomes": "seedcorn.evaluation.nlu",
    "paired_bootstrap": "seedcorn.evaluation.bootstrap",
    # The pipelines.
    "IntentConfig": "seedcorn.intent.pipeline",
    "run_intent": "seedcorn.intent.pipeline",
    "LanguageConfig": "seedcorn.language.pipeline",
    "run_language": "seedcorn.language.pipeline",
    "GrowthConfig": "seedcorn.growth.pipeline",
    "run_growth": "seedcorn.growth.pipeline",
    "Context": "seedcorn.runs",
    "open_run": "seedcorn.runs",
    "load_config": "seedcorn.config",
    "SeedcornError": "seedcorn.errors",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'seedcorn' has no attribute '{name}'")
    from importlib import import_module  # here, since an interruption of the command cannot be answered before

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
