"""The language models of the language pipeline as a run executes them: rescoring weights, text, models, and export."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from seedcorn.corpus.folding import fold_all
from seedcorn.lm.arpa_writing import write_arpa
from seedcorn.lm.model_file import read_model, write_model
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.perplexity import measure_perplexity
from seedcorn.pipelines.language_recogniser import lexicon_of
from seedcorn.pipelines.language_systems import (
    TRANSLATIONS,
    LanguageModelSettings,
    System,
    estimated,
    interpolated,
    own_words,
    pruned,
    tuned_weights,
    vocabulary_of,
)
from seedcorn.pipelines.language_text import (
    RESCORING_WEIGHTS,
    SystemTexts,
    TextsAtHand,
    candidates_of,
    rescored_name,
)
from seedcorn.pipelines.language_translation import TranslationSettings
from seedcorn.pipelines.stage_files import Done, read_utterances, write_json, write_utterances
from seedcorn.runs import Json, Run, StageFolder
from seedcorn.speech.posteriors import read_posteriors
from seedcorn.translation.rescoring import RescoringWeights

OWN, FIXED = "own", "fixed"
SYSTEMS_FILE, TRANSLATED_FILE = "systems.json", "translated.parquet"


def rescoring(
    run: Run,
    data: Done,
    cleaned: Done,
    pairs: Done,
    translated: Mapping[str, Done],
    systems: Iterable[System],
    settings: TranslationSettings,
    *,
    lm_order: int,
    target_lang: str,
    relative_to: Path,
) -> Done:
    """Find how much the in-domain language model counts beside the translator, for whatever the systems rescore."""
    wanted = sorted({(s.translations, s.n_hypotheses) for s in systems if s.rescored and s.translations})

    def work(folders: StageFolder) -> dict[str, int]:
        found: dict[str, Json] = {}
        at_hand = TextsAtHand(
            data=data,
            cleaned=cleaned,
            pairs=pairs,
            entities=settings.entities,
            order=lm_order,
            target_lang=target_lang,
            relative_to=relative_to,
        )
        for name, n_hypotheses in wanted:
            weights = RescoringWeights(lm=settings.lm_weight or 0.0)
            if settings.lm_weight is None:
                weights = tuned_weights(
                    candidates_of(data, translated[name]),
                    at_hand.in_domain,
                    n_hypotheses=n_hypotheses,
                    n_tuning=settings.n_tuning,
                    order=lm_order,
                )
            found[rescored_name(name, n_hypotheses)] = asdict(weights)
        write_json(found, folders.output / RESCORING_WEIGHTS)
        return {"n_sets": len(found)}

    chosen: dict[str, Json] = settings.model_dump(mode="json", include={"lm_weight", "n_tuning"})
    chosen |= {"lm_order": lm_order, "rescored": [list(each) for each in wanted]}
    inputs = data.digest | cleaned.digest | pairs.digest | _digests(translated)
    record = run.stage("rescoring", work, settings=chosen, inputs=inputs)
    return Done(record=record, folder=run.folder / "rescoring")


def _digests(stages: Mapping[str, Done]) -> dict[str, str]:
    return {name: digest for stage in stages.values() for name, digest in stage.digest.items()}


def language_models(
    run: Run,
    data: Done,
    cleaned: Done,
    pairs: Done,
    translated: Mapping[str, Done],
    weights: Done,
    systems: Mapping[str, System],
    settings: LanguageModelSettings,
    translation: TranslationSettings,
    *,
    target_lang: str,
    relative_to: Path,
) -> Done:
    """Make the language model of every system, with its own words and with the words of all systems."""

    def work(folders: StageFolder) -> dict[str, int]:
        at_hand = TextsAtHand(
            data=data,
            cleaned=cleaned,
            pairs=pairs,
            entities=translation.entities,
            order=settings.order,
            target_lang=target_lang,
            relative_to=relative_to,
        )
        text = SystemTexts(
            at_hand=at_hand,
            translated=translated,
            weights=weights,
            keep=translation.keep,
            random_seed=run.random_seed,
        )
        components = {}
        for name, system in systems.items():
            translations = text.translations_for(system)
            components[name] = text.components(system, translations)
        write_utterances(translations, folders.output / TRANSLATED_FILE)  # those of the last system: the full one
        vocabulary = vocabulary_of(texts for parts in components.values() for texts in parts.values())
        test = fold_all([u.text for u in read_utterances(data.folder / "test.parquet")])
        make = _ModelMaker(at_hand.in_domain.dev, test, settings, vocabulary)
        rows = []
        for number, (name, parts) in enumerate(components.items()):
            own, fixed, row = make.models(parts)
            write_model(own, folders.output / f"{number}.{OWN}.lm")
            write_model(fixed, folders.output / f"{number}.{FIXED}.lm")
            rows.append({"system": name, **row})
        write_json(rows, folders.output / SYSTEMS_FILE)
        return {"n_systems": len(rows), "n_words": len(vocabulary)}

    chosen: dict[str, Json] = {
        "systems": {name: system.model_dump(mode="json") for name, system in systems.items()},
        "language_model": settings.model_dump(mode="json"),
        "keep": translation.keep.model_dump(mode="json"),
        "target_lang": target_lang,
    }
    inputs = data.digest | cleaned.digest | pairs.digest | weights.digest | _digests(translated)
    record = run.stage("language-models", work, settings=chosen, inputs=inputs)
    return Done(record=record, folder=run.folder / "language-models")


class _ModelMaker:
    """Language models with their measures; a component that systems share is estimated once."""

    def __init__(
        self, dev: Sequence[str], test: Sequence[str], settings: LanguageModelSettings, vocabulary: list[str]
    ) -> None:
        self._dev, self._test, self._settings, self._vocabulary = dev, test, settings, vocabulary
        self._estimated: dict[tuple[str, int, bool], NgramModel] = {}

    def models(self, parts: Mapping[str, list[str]]) -> tuple[NgramModel, NgramModel, dict[str, Json]]:
        """Return the model over the words of ``parts``, the one over all words, and the row of their measures."""
        own, own_weights = self._mixed(parts, fixed=False)
        fixed, _ = self._mixed(parts, fixed=True)
        seen, fair = (measure_perplexity(model, [list(self._test)]) for model in (own, fixed))
        row: dict[str, Json] = {
            "n_sentences": {name: len(texts) for name, texts in parts.items()},
            "weights": dict(zip(parts, own_weights, strict=True)),
            "n_words": len(own_words(own)),
            "n_ngrams": sum(own.n_ngrams),
            "oov_fraction": seen.oov_fraction,
            "perplexity_own_words": seen.perplexity,
            "perplexity": fair.perplexity,
        }
        return own, fixed, row

    def _mixed(self, parts: Mapping[str, list[str]], *, fixed: bool) -> tuple[NgramModel, tuple[float, ...]]:
        components = [self._component(name, texts, fixed=fixed) for name, texts in parts.items()]
        model, weights = interpolated(components, self._dev)
        return pruned(model, self._settings), weights

    def _component(self, name: str, texts: list[str], *, fixed: bool) -> NgramModel:
        order, vocabulary = self._settings.order, self._vocabulary if fixed else None
        if name == TRANSLATIONS:
            return estimated(texts, order=order, vocabulary=vocabulary)
        key = (name, len(texts), fixed)
        if key not in self._estimated:
            self._estimated[key] = estimated(texts, order=order, vocabulary=vocabulary)
        return self._estimated[key]


def export(run: Run, models: Done, posteriors: Done, *, number: int) -> Done:
    """Write the model of one system for other recognisers: ARPA, lexicon, word list, symbols and FST text."""

    def work(folders: StageFolder) -> dict[str, int]:
        from seedcorn.speech.export import write_lexicon_files

        model = read_model(models.folder / f"{number}.{OWN}.lm")
        write_arpa(model, folders.output / "lm.arpa.gz")
        lexicon = lexicon_of(own_words(model), read_posteriors(posteriors.folder / "test.npz").alphabet)
        n_states = write_lexicon_files(lexicon, folders.output)
        n_left_out = len(lexicon.left_out)
        return {
            "n_ngrams": sum(model.n_ngrams),
            "n_words": len(lexicon.words),
            "n_left_out": n_left_out,
            "n_states": n_states,
        }

    record = run.stage("export", work, settings={"system": number}, inputs=models.digest | posteriors.digest)
    return Done(record=record, folder=run.folder / "export")
