"""A new language: transcripts, source text, pairs -> translator -> in-domain text -> language models -> error rates."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import Field

from seedcorn.language.annotation import ForPeople
from seedcorn.language.config import LanguagePipeline, folder_name
from seedcorn.language.data import LanguageData
from seedcorn.language.export import Export, Exported
from seedcorn.language.key_terms import KeyTerms
from seedcorn.language.measures import FIXED, OWN, Measure
from seedcorn.language.models import ListWords, SystemModel
from seedcorn.language.nbest_lists import NBestLists, TranslationSet
from seedcorn.language.outside_translations import AskEndpoint
from seedcorn.language.packages import check_packages
from seedcorn.language.pairs import CleanPairs
from seedcorn.language.posteriors import SpeechPosteriors, SynthesiseSpeech
from seedcorn.language.recogniser import Decode, DecoderWeights, Recogniser
from seedcorn.language.result import LanguageResult, Models, Recognition
from seedcorn.language.texts import Materials, Texts
from seedcorn.language.translator_training import train_translators
from seedcorn.language.translators import TranslatorFolder, TranslatorName
from seedcorn.runs import Result, Run, Stage, StageResult
from seedcorn.runs.planning import PlannedRun


class LanguageConfig(LanguagePipeline):
    """The configuration file of ``seedcorn language``; configs/language-builtin.yaml explains every setting."""

    name: str = Field(min_length=1)
    random_seed: int = Field(1, ge=0)

    def stages(self) -> Mapping[str, Stage[StageResult]]:
        """Return the stages by the names of their folders, in the order in which they run."""
        planned = PlannedRun(folder=Path(), random_seed=self.random_seed)
        run_language(self, run=planned)
        return planned.stages


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """What an earlier run decided for this one: its translators, posteriors, how its decoder weighs."""

    translators: Mapping[TranslatorName, Result[TranslatorFolder]] = field(default_factory=dict)
    posteriors: Result[SpeechPosteriors] | None = None
    decoder_weights: Result[DecoderWeights] | None = None


def run_language(config: LanguagePipeline, *, run: Run, frozen: Frozen | None = None) -> LanguageResult:
    """Run the stages that are not done yet, and return their results.

    Raises SeedcornError for whatever a user can mend.
    """
    check_packages(config)
    run = replace(run, n_threads=config.n_threads, mapper=config.mapper())
    frozen = frozen or Frozen()
    data = run.do(config.data)
    transcripts = run.do(config.transcripts, data)
    pairs = run.do(config.pair_cleaning)
    with posteriors_ahead(run, config, data, pairs, frozen):
        nearest = run.do(config.pair_selection, data, transcripts, pairs)
        domain = run.do(config.domain_model, data, transcripts, pairs, nearest)
        known = Materials(data=data, transcripts=transcripts, pairs=pairs, nearest=nearest, domain=domain)
        known = take_translations(run, config, known)
        translators = frozen.translators or train_translators(run, config, known)
        materials = translate(run, config, known, translators)
        texts = {name: run.do(s, *s.needs(materials), name=name) for name, s in config.sources().items()}
        models = estimate_systems(run, config, data, texts)
    recognition = recognise(run, config, materials, models, frozen)
    return LanguageResult(
        materials=materials,
        texts=texts,
        models=models,
        recognition=recognition,
        exported=export(run, config, models, recognition),
        key_terms=choose_key_terms(run, config, pairs, texts, models),
        for_people=choose_for_people(run, config, materials),
    )


def take_translations(run: Run, config: LanguagePipeline, known: Materials) -> Materials:
    """Take over the n-best lists that are made elsewhere: read from a file, or asked of a server."""
    nbest = dict[TranslationSet, Result[NBestLists]]()
    for wanted in config.sets_made_elsewhere():
        stage = config.made_elsewhere(wanted.translator)
        if stage is not None:
            shown = (known.pairs, known.nearest) if isinstance(stage, AskEndpoint) else ()
            nbest[wanted] = run.do(stage, known.data, *shown, name=f"translations-{wanted.name}")
    return replace(known, nbest=nbest)


def translate(
    run: Run,
    config: LanguagePipeline,
    known: Materials,
    translators: Mapping[TranslatorName, Result[TranslatorFolder]],
) -> Materials:
    """Translate the source text once for each set of n-best lists that the systems want, and tune their rescoring."""
    nbest = dict(known.nbest)
    for wanted in config.translation_sets():
        if wanted not in nbest:
            catalogue = (known.transcripts,) if wanted.entities else ()
            inputs = (known.data, *catalogue, translators[wanted.translator])
            nbest[wanted] = run.do(config.translate(wanted), *inputs, name=f"translations-{wanted.name}")
    weights = {}
    for wanted, n_hypotheses in config.rescored_sets():
        weights[wanted, n_hypotheses] = run.do(
            config.tune_rescoring(n_hypotheses),
            known.data,
            known.domain,
            nbest[wanted],
            name=f"rescoring-{wanted.name}-{n_hypotheses}",
        )
    return replace(known, translators=translators, nbest=nbest, weights=weights)


def estimate_systems(
    run: Run, config: LanguagePipeline, data: Result[LanguageData], texts: Mapping[str, Result[Texts]]
) -> Models:
    """Estimate the model of each text, and interpolate those of each system: over its own words, and over all words."""
    words = run.do(ListWords(), *texts.values())
    return Models(
        words=words,
        own=_mixtures(run, config, data, {name: (text,) for name, text in texts.items()}, OWN),
        fixed=_mixtures(run, config, data, {name: (text, words) for name, text in texts.items()}, FIXED),
    )


def _mixtures(
    run: Run,
    config: LanguagePipeline,
    data: Result[LanguageData],
    inputs: Mapping[str, tuple[Result[StageResult], ...]],
    lexicon: str,
) -> dict[str, Result[SystemModel]]:
    models = {
        name: run.do(config.estimate(source), *inputs[name], name=f"lm-{lexicon}-{name}")
        for name, source in config.sources().items()
    }
    return {
        system: run.do(
            config.mixing(system),
            data,
            *(models[s.name] for s in sources),
            name=f"model-{lexicon}-{folder_name(system)}",
        )
        for system, sources in config.systems.items()
    }


def export(
    run: Run, config: LanguagePipeline, models: Models, recognition: Recognition | None
) -> list[Result[Exported]]:
    """Write the model of the reported system, or of all, for other recognisers, with the lexicon of ours if any."""
    posteriors = () if recognition is None else (recognition.posteriors,)
    exported = [run.do(Export(), models.own[config.reported_name], *posteriors)]
    if config.export_all:
        exported += [
            run.do(Export(), model, *posteriors, name=f"{Export.stage_name}-{folder_name(system)}")
            for system, model in models.own.items()
            if system != config.reported_name
        ]
    return exported


def choose_for_people(run: Run, config: LanguagePipeline, made: Materials) -> list[Result[ForPeople]]:
    """Choose which source requests people should translate, and which recordings transcribe, where that is wanted."""
    chosen, wanted = [], config.reported_set()
    if config.to_translate is not None and wanted is not None:
        chosen.append(run.do(config.to_translate, made.data, made.nbest[wanted]))
    if config.to_transcribe is not None:
        chosen.append(run.do(config.to_transcribe, made.transcripts))
    return chosen


def choose_key_terms(
    run: Run,
    config: LanguagePipeline,
    pairs: Result[CleanPairs],
    texts: Mapping[str, Result[Texts]],
    models: Models,
) -> Result[KeyTerms] | None:
    """Choose key terms of the in-domain text of the reported system, if they are wanted."""
    if config.key_terms is None:
        return None
    in_domain = [texts[source.name] for source in config.systems[config.reported_name] if source.in_domain]
    return run.do(config.key_terms, models.own[config.reported_name], pairs, *in_domain)


def recognise(
    run: Run,
    config: LanguagePipeline,
    materials: Materials,
    models: Models,
    frozen: Frozen,
) -> Recognition | None:
    """Decode test with every model, from posteriors made once, and measure; None without a recogniser."""
    if config.recogniser is None:
        return None
    posteriors = frozen.posteriors or run.do(*posteriors_stage(config.recogniser, materials.data, materials.pairs))
    weights = {}
    for system in dict.fromkeys(config.tuned_for(system) for system in config.systems):
        weights[system] = frozen.decoder_weights or run.do(
            config.decoder_tuning,
            materials.data,
            posteriors,
            models.own[system],
            name=f"decoder-weights-{folder_name(system)}",
        )
    lexicons = (OWN, FIXED) if config.decoder.fixed_lexicon else (OWN,)
    hypotheses = {
        (system, lexicon): run.do(
            Decode(),
            posteriors,
            weights[config.tuned_for(system)],
            models.of(lexicon)[system],
            name=f"decoding-{lexicon}-{folder_name(system)}",
        )
        for system in config.systems
        for lexicon in lexicons
    }
    measure = Measure(recognised=tuple(hypotheses), baseline=config.baseline_name, reported=config.reported_name)
    measures = run.do(measure, materials.data, materials.transcripts, *hypotheses.values())
    return Recognition(posteriors=posteriors, decoder_weights=weights, hypotheses=hypotheses, measures=measures)


def posteriors_ahead(
    run: Run, config: LanguagePipeline, data: Result[LanguageData], pairs: Result[CleanPairs], frozen: Frozen
) -> AbstractContextManager[None]:
    """Return a block beside which the posteriors are made, where they are wanted and a process of its own may be."""
    if config.recogniser is None or frozen.posteriors is not None:
        return nullcontext()
    return run.ahead(*posteriors_stage(config.recogniser, data, pairs))


def posteriors_stage(
    recogniser: Recogniser, data: Result[LanguageData], pairs: Result[CleanPairs]
) -> tuple[Stage[SpeechPosteriors], *tuple[Result[StageResult], ...]]:
    """Return the stage of the posteriors of dev and test, from which every language model starts, and its inputs."""
    if recogniser.files is not None:
        return recogniser.files, data
    return recogniser.test_bed or SynthesiseSpeech(), data, pairs
