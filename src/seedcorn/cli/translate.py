"""``seedcorn translate``: train a translator on chosen pairs, translate a corpus with its slots, rescore lists."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from seedcorn.cli.application import app
from seedcorn.cli.options import AsJson, InputFile, OutputFile, Quiet, RandomSeed, progress, refuse_overwriting, show
from seedcorn.errors import ConfigError, nearest, require
from seedcorn.files import Json
from seedcorn.pretrained import Checkpoint
from seedcorn.translation.settings import (
    EntitySettings,
    Lost,
    PairCutoff,
    PairSelectionSettings,
    RescoringWeights,
    TrainingSettings,
    Treatment,
)

if TYPE_CHECKING:
    from seedcorn.translation.file_to_file import TrainedFromFiles

translate = typer.Typer(help="Train a translator, translate, rescore n-best lists.", no_args_is_help=True)
app.add_typer(translate, name="translate")

Lang: TypeAlias = Annotated[str, typer.Option(help="Language code, such as en or hi-IN.")]
Threads: TypeAlias = Annotated[int, typer.Option(min=0, help="Threads; 0: all cores.")]
LmFile: TypeAlias = Annotated[Path | None, typer.Option(exists=True, help="In-domain language model of the target.")]
LmWeight: TypeAlias = Annotated[float, typer.Option(help="What the language model counts; the translation counts 1.")]
LengthWeight: TypeAlias = Annotated[float, typer.Option(help="What each word counts.")]


@translate.command()
def train(
    pairs: InputFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder of the translator.")],
    source_lang: Lang,
    target_lang: Lang,
    dev: Annotated[Path, typer.Option(exists=True, help="In-domain pairs for early stopping.")],
    target: Annotated[Path | None, typer.Option(exists=True, help="Target lines, if PAIRS are source lines.")] = None,
    dev_target: Annotated[Path | None, typer.Option(exists=True, help="Target lines of --dev, likewise.")] = None,
    dictionary: Annotated[Path | None, typer.Option(exists=True, help="Pairs of words: added to all others.")] = None,
    in_domain: Annotated[Path | None, typer.Option(exists=True, help="Target text; keep the pairs near to it.")] = None,
    fraction: Annotated[float, typer.Option(min=0, max=1, help="Keep this share of the pairs, the nearest.")] = 0.4,
    distance: Annotated[float | None, typer.Option(help="Or keep the pairs within this distance.")] = None,
    minus_general: Annotated[bool, typer.Option(help="Distance minus that to the centre of all pairs.")] = True,
    encoder: Annotated[str, typer.Option(help="A sentence encoder by name; default: the built-in one.")] = "",
    placeholders: Annotated[
        float, typer.Option(min=0, max=1, help="Share of pairs with placeholders for words.")
    ] = 0.25,
    spoken: Annotated[bool, typer.Option("--spoken/--written", help="Words only, as transcripts are.")] = True,
    preset: Annotated[str, typer.Option(help="Size from scratch: tiny, small or base.")] = "small",
    checkpoint: Annotated[str, typer.Option(help="Or fine-tune this pretrained translator.")] = "",
    target_tokens: Annotated[int | None, typer.Option(min=1, help="Budget: target tokens seen in all.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    tokens_per_batch: Annotated[int | None, typer.Option(min=1, help="Tokens of both sides in a batch.")] = None,
    checkpoints: Annotated[Path | None, typer.Option(help="Where to keep them; default: OUTPUT.checkpoints.")] = None,
    threads: Threads = 0,
    random_seed: RandomSeed = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Clean PAIRS, keep those near to in-domain text, train. Interrupted, the same command goes on where it stopped.

    With a larger --target-tokens the same command trains further. PAIRS are TSV, JSON lines, Parquet or TMX, or two
    files of lines with --target.
    """
    refuse_overwriting(output, pairs)
    torch = require("torch", extra="neural")
    from seedcorn.translation.file_to_file import PairFiles, train_from_files

    if threads:
        torch.set_num_threads(threads)
    with progress(quiet):
        found = train_from_files(
            PairFiles(
                pairs=pairs,
                target=target,
                dev=dev,
                dev_target=dev_target,
                dictionary=dictionary,
                in_domain=in_domain,
                source_lang=source_lang,
                target_lang=target_lang,
                spoken=spoken,
            ),
            output,
            selection=PairSelectionSettings(
                cutoff=PairCutoff(fraction=fraction) if distance is None else PairCutoff(threshold=distance),
                minus_general=minus_general,
                encoder=Checkpoint.at(encoder) if encoder else None,
            ),
            placeholder_fraction=placeholders,
            training=_training(
                preset,
                checkpoint,
                source_lang=source_lang,
                target_lang=target_lang,
                n_target_tokens=target_tokens,
                learning_rate=learning_rate,
                tokens_per_batch=tokens_per_batch,
            ),
            checkpoints=checkpoints or output.with_name(f"{output.name}.checkpoints"),
            random_seed=random_seed,
        )
    show({**_shown(found), "output": str(output)}, as_json=as_json)


@translate.command()
def run(
    translator: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="The folder of a translator.")],
    source: InputFile,
    output: OutputFile,
    lang: Annotated[str, typer.Option(help="Language code of the output.")] = "",
    n_best: Annotated[int, typer.Option(min=1, help="Hypotheses a sentence.")] = 10,
    entities: Annotated[Treatment, typer.Option(help="What becomes of slot values.")] = Treatment.TRANSLATE,
    entities_of: Annotated[
        list[str] | None, typer.Option(help="Another treatment for a slot type: artist=latin; repeatable.")
    ] = None,
    catalogue: Annotated[Path | None, typer.Option(exists=True, help="Target utterances with slot values.")] = None,
    lexicon: Annotated[Path | None, typer.Option(exists=True, help="Spellings for transliteration, TSV.")] = None,
    reject_lost: Annotated[bool, typer.Option(help="Reject, rather than copy, lost placeholders.")] = False,
    spoken: Annotated[bool, typer.Option("--spoken/--written", help="Translate words only, as trained.")] = True,
    lm: LmFile = None,
    lm_weight: LmWeight = 0.5,
    length_weight: LengthWeight = 0.0,
    nbest_output: Annotated[Path | None, typer.Option(help="Write the n-best lists too (Moses).")] = None,
    rejects: Annotated[Path | None, typer.Option(help="Write what has no translation, with reasons (JSONL).")] = None,
    threads: Threads = 0,
    random_seed: RandomSeed = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Translate the utterances of SOURCE with intents and slots, the best hypothesis of each, rescored by --lm."""
    for written in (output, nbest_output):
        refuse_overwriting(written, source, lm)
    require("ctranslate2", extra="neural")
    from seedcorn.translation.file_to_file import TranslationFiles, translate_file

    with progress(quiet):
        n_translated, n_rejected = translate_file(
            TranslationFiles(
                translator=translator,
                source=source,
                catalogue=catalogue,
                lexicon=lexicon,
                lm=lm,
                nbest_output=nbest_output,
                rejects=rejects,
            ),
            output,
            entities=EntitySettings(
                default=entities,
                by_type=_treatments(entities_of or ()),
                lost=Lost.REJECT if reject_lost else Lost.COPY,
                spoken=spoken,
            ),
            weights=RescoringWeights(lm=lm_weight if lm else 0.0, length=length_weight),
            lang=lang,
            n_best=n_best,
            n_threads=threads,
            random_seed=random_seed,
        )
    show({"n_translated": n_translated, "n_rejected": n_rejected, "output": str(output)}, as_json=as_json)


@translate.command()
def rescore(
    nbest: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A Moses n-best file.")],
    source: Annotated[Path, typer.Argument(exists=True, help="Its source sentences.")],
    output: OutputFile,
    lm: LmFile = None,
    score_feature: Annotated[
        str, typer.Option(help="The translation score: this feature; translation_logp or the total if absent.")
    ] = "",
    references: Annotated[Path | None, typer.Option(exists=True, help="Tune the weights on these (dev).")] = None,
    lm_weight: LmWeight = 0.5,
    length_weight: LengthWeight = 0.0,
    keep_above: Annotated[
        float | None, typer.Option(help="Reject what is less likely per word (natural log) to the language model.")
    ] = None,
    curve: Annotated[bool, typer.Option(help="Show what each cut-off keeps.")] = False,
    rejects: Annotated[Path | None, typer.Option(help="Write what is rejected (JSONL).")] = None,
    nbest_output: Annotated[Path | None, typer.Option(help="Write the rescored lists too (Moses).")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Choose the best hypothesis of each list by translation and language model; tune the weights; keep or reject."""
    for written in (output, rejects, nbest_output):
        refuse_overwriting(written, nbest, source, lm, references)
    from seedcorn.translation.file_to_file import RescoringFiles, rescore_file

    with progress(quiet):
        found = rescore_file(
            RescoringFiles(
                nbest=nbest,
                score_feature=score_feature,
                source=source,
                lm=lm,
                references=references,
                nbest_output=nbest_output,
                rejects=rejects,
            ),
            output,
            weights=RescoringWeights(lm=lm_weight if lm else 0.0, length=length_weight),
            keep_above=keep_above,
            with_curve=curve,
        )
    result: dict[str, Json] = {
        "n_lists": found.n_lists,
        "n_kept": found.n_kept,
        "n_rejected": found.n_rejected,
        "lm_weight": found.weights.lm,
        "length_weight": found.weights.length,
        "output": str(output),
    }
    if found.curve and as_json:
        result["curve"] = [
            {"kept_fraction": p.kept_fraction, "n_kept": p.n_kept, "logp_per_word": p.logp_per_word}
            for p in found.curve
        ]
    show(result, as_json=as_json)
    for p in [] if as_json else found.curve:
        typer.echo(f"--keep-above {p.logp_per_word:.3f} keeps {p.n_kept:,} lists ({p.kept_fraction:.0%})")


def _training(preset: str, checkpoint: str, **given: str | float | None) -> TrainingSettings:
    """Return the settings of a preset, or of fine-tuning, with what is given in their place."""
    from seedcorn.translation.presets import FINE_TUNING, PRESETS

    if preset not in PRESETS:
        raise ConfigError(wanted="a known preset", found=f"'{preset}'", fix=nearest(preset, list(PRESETS)))
    settings = (
        FINE_TUNING.model_copy(update={"checkpoint": Checkpoint.at(checkpoint)}) if checkpoint else PRESETS[preset]
    )
    return settings.model_copy(update={name: value for name, value in given.items() if value})


def _shown(found: "TrainedFromFiles") -> dict[str, Json]:
    return {
        "n_clean": found.n_clean,
        "n_rejected": found.rejected,
        "n_kept": found.n_selected,
        "n_steps": found.trained.n_steps,
        "n_target_tokens": found.trained.n_target_tokens,
        "dev_chrf": found.trained.dev_chrf,
    }


def _treatments(by_type: Sequence[str]) -> dict[str, Treatment]:
    """Return what becomes of the slot types given as ``type=treatment``."""
    treatments: dict[str, Treatment] = {}
    for item in by_type:
        slot_type, _, treatment = item.partition("=")
        if not slot_type or treatment not in list(Treatment):
            raise ConfigError(
                wanted="--entities-of type=treatment", found=f"'{item}'", fix=nearest(treatment, list(Treatment))
            )
        treatments[slot_type] = Treatment(treatment)
    return treatments
