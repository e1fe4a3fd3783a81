"""The language models of the language pipeline as a run executes them: rescoring weights, text, models, and export."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seedcorn.corpus.folding import fold_all
from seedcorn.corpus.templates import with_values_drawn_anew
from seedcorn.corpus.utterances import Utterance
from seedcorn.lm.arpa_writing import write_arpa
from seedcorn.lm.model_file import read_model, write_model
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.perplexity import measure_perplexity
from seedcorn.pipelines.language_nbest import read_candidates
from seedcorn.pipelines.language_recogniser import lexicon_of
from seedcorn.pipelines.language_stages import (
    CANDIDATES,
    DICTIONARY,
    PAIRS,
    entity_lexicon,
    read_pair_table,
)
from seedcorn.pipelines.language_systems import (
    ALL_GENERAL,
    BORROWED,
    DICTIONARY_WORDS,
    GENERAL,
    SLOT_VARIANTS,
    SOURCE,
    TRANSCRIPTS,
    TRANSLATIONS,
    TRUE_TARGET,
    InDomain,
    LanguageModelSettings,
    System,
    best_translations,
    borrowed,
    estimated,
    in_domain_of,
    interpolated,
    keep_in_domain,
    own_words,
    pruned,
    tuned_weights,
    vocabulary_of,
)
from seedcorn.pipelines.language_translation import EntityChoice, KeepChoice, TranslationSettings
from seedcorn.pipelines.stage_files import Done, read_json, read_utterances, write_json, write_utterances
from seedcorn.progress import say
from seedcorn.runs import Json, Run, StageFolder
from seedcorn.speech.posteriors import read_posteriors
from seedcorn.translation.rescoring import NO_RESCORING, RescoringWeights

if TYPE_CHECKING:
    from seedcorn.translation.entities import Candidates

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
        in_domain = None
        if settings.lm_weight is None:
            in_domain = _in_domain(
                data,
                cleaned,
                pairs,
                settings.entities,
                order=lm_order,
                target_lang=target_lang,
                relative_to=relative_to,
            )
        for name, n_hypotheses in wanted:
            weights = RescoringWeights(lm=settings.lm_weight or 0.0)
            if in_domain is not None:
                weights = tuned_weights(
                    _candidates(data, translated[name]),
                    in_domain,
                    n_hypotheses=n_hypotheses,
                    n_tuning=settings.n_tuning,
                    order=lm_order,
                )
            found[_rescored_name(name, n_hypotheses)] = asdict(weights)
        write_json(found, folders.output / "weights.json")
        return {"n_sets": len(found)}

    chosen: dict[str, Json] = settings.model_dump(mode="json", include={"lm_weight", "n_tuning"})
    chosen |= {"lm_order": lm_order, "rescored": [list(each) for each in wanted]}
    inputs = data.digest | cleaned.digest | pairs.digest | _digests(translated)
    record = run.stage("rescoring", work, settings=chosen, inputs=inputs)
    return Done(record=record, folder=run.folder / "rescoring")


def _rescored_name(translations: str, n_hypotheses: int) -> str:
    return f"{translations}, {n_hypotheses} best"


def _in_domain(
    data: Done, cleaned: Done, pairs: Done, entities: EntityChoice, *, order: int, target_lang: str, relative_to: Path
) -> InDomain:
    transcripts, dev, source = (
        [u.text for u in read_utterances(data.folder / f"{name}.parquet")] for name in ("transcripts", "dev", "source")
    )
    kept = fold_all(source)
    other_texts = (
        kept,
        borrowed(kept, target_lang=target_lang),
        fold_all(_target_side(cleaned)),
        fold_all(_target_side(cleaned, DICTIONARY)),
        fold_all(sorted(entity_lexicon(entities, relative_to).values())),
    )
    return in_domain_of(transcripts, _target_side(pairs), dev, other_texts=other_texts, order=order)


def _target_side(pairs: Done, file: str = PAIRS) -> list[str]:
    return [text for b in read_pair_table(pairs, file).batches() for text in b.column("target").to_pylist()]


def _digests(stages: Mapping[str, Done]) -> dict[str, str]:
    return {name: digest for stage in stages.values() for name, digest in stage.digest.items()}


def _candidates(data: Done, stage: Done) -> "list[Candidates]":
    return read_candidates(stage.folder / CANDIDATES, read_utterances(data.folder / "source.parquet"))


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
        in_domain = _in_domain(
            data,
            cleaned,
            pairs,
            translation.entities,
            order=settings.order,
            target_lang=target_lang,
            relative_to=relative_to,
        )
        text = _Text(
            in_domain,
            data,
            cleaned,
            translated,
            weights,
            translation.keep,
            settings.order,
            target_lang,
            random_seed=run.random_seed,
        )
        components = {name: text.components(system) for name, system in systems.items()}
        vocabulary = vocabulary_of(texts for parts in components.values() for texts in parts.values())
        test = fold_all([u.text for u in read_utterances(data.folder / "test.parquet")])
        make = _ModelMaker(text.in_domain.dev, test, settings, vocabulary)
        rows = []
        for number, (name, parts) in enumerate(components.items()):
            own, fixed, row = make.models(parts)
            write_model(own, folders.output / f"{number}.{OWN}.lm")
            write_model(fixed, folders.output / f"{number}.{FIXED}.lm")
            rows.append({"system": name, **row})
        write_json(rows, folders.output / SYSTEMS_FILE)
        write_utterances(text.translated(list(systems.values())[-1]), folders.output / TRANSLATED_FILE)
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


class _Text:
    """The text of the systems, from the files of the stages before; what systems share is read and chosen once."""

    def __init__(
        self,
        in_domain: InDomain,
        data: Done,
        cleaned: Done,
        translated: Mapping[str, Done],
        weights: Done,
        keep: KeepChoice,
        order: int,
        target_lang: str,
        *,
        random_seed: int,
    ) -> None:
        self.in_domain = in_domain
        self._random_seed = random_seed
        self._slot_variants: dict[int, list[str]] = {}
        self._data, self._cleaned, self._stages = data, cleaned, translated
        self._keep, self._order, self._lang = keep, order, target_lang
        found = read_json(weights.folder / "weights.json")
        given = found if isinstance(found, dict) else {}
        self._weights = {name: RescoringWeights(**value) for name, value in given.items()}

    def components(self, system: System) -> dict[str, list[str]]:
        """Return the folded texts that the system's model is interpolated from, by where they come from."""
        parts = {
            TRANSCRIPTS: self.in_domain.transcripts,
            SLOT_VARIANTS: self._with_slots_varied(system.slot_variants) if system.slot_variants else [],
            GENERAL: self.in_domain.general if system.general else [],
            ALL_GENERAL: self._all_general if system.all_general else [],
            DICTIONARY_WORDS: self._dictionary_words if system.all_general else [],
            TRANSLATIONS: fold_all([u.text for u in self.translated(system)]),
            SOURCE: self._source if system.source_text else [],
            BORROWED: self._borrowed if system.source_text else [],
            TRUE_TARGET: self._true_target if system.true_target else [],
        }
        return {name: texts for name, texts in parts.items() if any(texts)}

    def _with_slots_varied(self, n_variants: int) -> list[str]:
        if n_variants not in self._slot_variants:
            transcripts = read_utterances(self._data.folder / "transcripts.parquet")
            if not any(u.slots for u in transcripts):
                say(f"none of {len(transcripts):,} transcripts has slots: there are no slot variants")
            rng = np.random.default_rng(self._random_seed)
            variants = with_values_drawn_anew(transcripts, n_variants=n_variants, rng=rng)
            self._slot_variants[n_variants] = fold_all([u.text for u in variants])
        return self._slot_variants[n_variants]

    @cached_property
    def _all_general(self) -> list[str]:
        return fold_all(_target_side(self._cleaned))

    @cached_property
    def _dictionary_words(self) -> list[str]:
        return fold_all(_target_side(self._cleaned, DICTIONARY))

    @cached_property
    def _source(self) -> list[str]:
        return self._folded("source")

    @cached_property
    def _borrowed(self) -> list[str]:
        return borrowed(self._source, target_lang=self._lang)

    @cached_property
    def _true_target(self) -> list[str]:
        return self._folded("true_target")

    def _folded(self, name: str) -> list[str]:
        return fold_all([u.text for u in read_utterances(self._data.folder / f"{name}.parquet")])

    def translated(self, system: System) -> list[Utterance]:
        """Return the translations that the system uses, with intents and slots; none without a translator."""
        if system.translations is None:
            return []
        candidates = _candidates(self._data, self._stages[system.translations])
        name = _rescored_name(system.translations, system.n_hypotheses)
        weights = self._weights[name] if system.rescored else NO_RESCORING
        best = best_translations(candidates, self.in_domain, weights, n_hypotheses=system.n_hypotheses, lang=self._lang)
        if not system.kept:
            return best
        kept = keep_in_domain(fold_all([u.text for u in best]), self.in_domain, self._keep, order=self._order)
        return [best[row] for row in np.sort(kept.positions)]


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
