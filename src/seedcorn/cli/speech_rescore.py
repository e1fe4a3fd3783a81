"""``seedcorn speech rescore`` and ``terms``: what other recognisers gain from our language models, file to file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seedcorn.cli.commands import command_of
from seedcorn.cli.options import InputFile, OutputFile, Shown, progress, refuse_overwriting, show
from seedcorn.cli.speech import speech
from seedcorn.errors import ConfigError

if TYPE_CHECKING:
    from seedcorn.files import Json
    from seedcorn.lm.ngram_model import NgramModel
    from seedcorn.speech.nbest_files import RecognisedText
    from seedcorn.speech.rescoring import SpeechWeights


@dataclass(frozen=True, kw_only=True)
class RescoreOptions(Shown):
    """The lists, the models that rescore them, and their weights or what these are tuned on."""

    nbest: InputFile
    output: OutputFile
    lm: Annotated[list[Path], typer.Option(exists=True, help="A language model; several are combined log-linearly.")]
    scores: Annotated[Path | None, typer.Option(exists=True, help="Scores of a Kaldi n-best text.")] = None
    dev: Annotated[Path | None, typer.Option(exists=True, help="N-best lists to tune the weights on.")] = None
    dev_scores: Annotated[Path | None, typer.Option(exists=True, help="Scores of a Kaldi --dev.")] = None
    references: Annotated[Path | None, typer.Option(exists=True, help="What was said in --dev, by id.")] = None
    lm_weight: Annotated[list[float] | None, typer.Option(min=0, help="A weight for each --lm, without --dev.")] = None
    word_bonus: Annotated[float, typer.Option(help="What each word counts, without --dev.")] = 0.0


@speech.command()
@command_of
def rescore(options: RescoreOptions) -> None:
    """Rescore any recogniser's NBEST lists (JSON lines, or Kaldi text with --scores) and write the best of each."""
    from seedcorn.lm.model_file import read_model
    from seedcorn.speech.nbest_files import read_nbest, write_best
    from seedcorn.speech.rescoring import check_model_names, rescore, with_models

    names = [path.stem for path in options.lm]
    check_model_names(names)
    with progress(options.quiet):
        models = {path.stem: read_model(path) for path in options.lm}
        weights, rates = _given(names, options) if options.dev is None else _tuned(options, models)
        lists = read_nbest(options.nbest, scores=options.scores)
        best = rescore(with_models(list(lists.values()), models), weights)
    changed = sum(found.text != some[0].text for found, some in zip(best, lists.values(), strict=True))
    write_best(dict(zip(lists, (found.text for found in best), strict=True)), options.output)
    weighed: dict[str, Json] = {f"weight_of_{name}": weights.of[name] for name in names}
    shown = {"n_utterances": len(lists), "n_changed": changed, **weighed, "word_bonus": weights.word_bonus, **rates}
    show({**shown, "output": str(options.output)}, as_json=options.as_json)


@dataclass(frozen=True, kw_only=True)
class TermsOptions(Shown):
    """The texts, two language models, and how many terms of what length are written where."""

    texts: InputFile
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")]
    domain: Annotated[Path, typer.Option(exists=True, help="A language model of the domain.")]
    general: Annotated[Path, typer.Option(exists=True, help="A language model of what the recogniser knows.")]
    n_terms: Annotated[int, typer.Option(min=1, help="At most so many terms.")] = 100
    n_characters: Annotated[int, typer.Option(min=1, help="Of at most so many characters.")] = 50
    boost: Annotated[float, typer.Option(help="The boost written for sherpa.")] = 2.0


@speech.command()
@command_of
def terms(options: TermsOptions) -> None:
    """Choose the key terms of in-domain TEXTS whose boosting helps most; lists for sherpa, NeMo and Vosk."""
    from seedcorn.corpus.formats import read_texts
    from seedcorn.lm.interpolation import share_vocabulary
    from seedcorn.lm.model_file import read_model
    from seedcorn.speech.key_terms import PHRASE_LISTS, choose_key_terms, write_phrase_lists
    from seedcorn.speech.settings import KeyTermSettings

    for name in PHRASE_LISTS:
        refuse_overwriting(options.output / name, options.texts, options.domain, options.general)
    with progress(options.quiet):
        inside, outside = share_vocabulary([read_model(options.domain), read_model(options.general)])
        chosen = choose_key_terms(
            read_texts(options.texts),
            domain=inside,
            general=outside,
            settings=KeyTermSettings(n_terms=options.n_terms, n_characters_max=options.n_characters),
        )
    options.output.mkdir(parents=True, exist_ok=True)
    paths = write_phrase_lists(chosen, options.output, boost=options.boost)
    written = ", ".join(path.name for path in paths)
    show({"n_terms": len(chosen), "written": written}, as_json=options.as_json)


def _tuned(options: RescoreOptions, models: "Mapping[str, NgramModel]") -> "tuple[SpeechWeights, dict[str, Json]]":
    """Return the weights tuned on ``dev``, and its word error rates before and after."""
    from seedcorn.evaluation.wer import paired_by_id
    from seedcorn.speech.nbest_files import read_nbest
    from seedcorn.speech.rescoring import tune_speech_weights, with_models
    from seedcorn.speech.transcripts import read_transcripts

    if options.references is None or options.dev is None:
        raise ConfigError(wanted="--references, what was said in --dev", found="none")
    lists: dict[str, list[RecognisedText]] = read_nbest(options.dev, scores=options.dev_scores)
    ids, said, _ = paired_by_id(
        read_transcripts(options.references), {name: some[0].text for name, some in lists.items()}
    )
    tuned = tune_speech_weights(with_models([lists[i] for i in ids], models), said, models=list(models))
    return tuned.weights, {
        "dev_word_error_rate_before": tuned.before,
        "dev_word_error_rate_after": tuned.after,
        "dev_word_error_rate_of_best_hypotheses": tuned.oracle,
    }


def _given(names: Sequence[str], options: RescoreOptions) -> "tuple[SpeechWeights, dict[str, Json]]":
    """Return the weights of the command line, and nothing measured."""
    from seedcorn.speech.nbest_files import RECOGNISER
    from seedcorn.speech.rescoring import SpeechWeights

    weights = options.lm_weight
    if not weights:
        raise ConfigError(wanted="--dev with --references, or an --lm-weight for each --lm", found="neither")
    if len(weights) != len(names):
        raise ConfigError(wanted="an --lm-weight for each --lm", found=f"{len(weights)} for {len(names)}")
    of = {RECOGNISER: 1.0, **dict(zip(names, weights, strict=True))}
    return SpeechWeights(of=of, word_bonus=options.word_bonus), {}
