"""``seedcorn translate``: train a translator on chosen pairs, translate a corpus with its slots, rescore lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from seedcorn.cli.application import app
from seedcorn.cli.commands import command_of
from seedcorn.cli.options import Engine, InputFile, OutputFile, RandomSeed, Shown, parts_mapper, progress, show
from seedcorn.cli.pipes import from_pipe
from seedcorn.errors import ConfigError, nearest, require
from seedcorn.files import Json
from seedcorn.pretrained import Checkpoint
from seedcorn.relevance.cutoff import Cutoff
from seedcorn.translation.settings import (
    EntitySettings,
    Lost,
    PairSelectionSettings,
    RescoringWeights,
    TrainingSettings,
    Treatment,
)

if TYPE_CHECKING:
    from seedcorn.translation.file_to_file import PairFiles, TrainedFromFiles

translate = typer.Typer(help="Train a translator, translate, rescore n-best lists.", no_args_is_help=True)
app.add_typer(translate, name="translate")

Lang: TypeAlias = Annotated[str, typer.Option(help="Language code, such as en or hi-IN.")]
Threads: TypeAlias = Annotated[int, typer.Option(min=0, help="Threads; 0: all cores.")]


@dataclass(frozen=True, kw_only=True)
class TrainOptions(Shown):
    """The pairs, which of them are kept, and the network and its training."""

    pairs: InputFile
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder of the translator.")]
    source_lang: Lang
    target_lang: Lang
    dev: Annotated[Path, typer.Option(exists=True, help="In-domain pairs for early stopping.")]
    target: Annotated[Path | None, typer.Option(exists=True, help="Target lines, if PAIRS are source lines.")] = None
    dev_target: Annotated[Path | None, typer.Option(exists=True, help="Target lines of --dev, likewise.")] = None
    dictionary: Annotated[Path | None, typer.Option(exists=True, help="Pairs of words: added to all others.")] = None
    in_domain: Annotated[Path | None, typer.Option(exists=True, help="Target text; keep the pairs near to it.")] = None
    fraction: Annotated[float, typer.Option(min=0, max=1, help="Keep this share of the pairs, the nearest.")] = 0.4
    distance: Annotated[float | None, typer.Option(help="Or keep the pairs within this distance.")] = None
    minus_general: Annotated[bool, typer.Option(help="Distance minus that to the centre of all pairs.")] = True
    encoder: Annotated[str, typer.Option(help="A sentence encoder by name; default: the built-in one.")] = ""
    placeholders: Annotated[float, typer.Option(min=0, max=1, help="Share of pairs with placeholders.")] = 0.25
    spoken: Annotated[bool, typer.Option("--spoken/--written", help="Words only, as transcripts are.")] = True
    preset: Annotated[str, typer.Option(help="Size from scratch: tiny, small or base.")] = "small"
    checkpoint: Annotated[str, typer.Option(help="Or fine-tune this translator or causal language model.")] = ""
    trim_vocabulary: Annotated[bool, typer.Option(help="Of its subwords keep those of the pairs.")] = False
    target_tokens: Annotated[int | None, typer.Option(min=1, help="Budget: target tokens seen in all.")] = None
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None
    tokens_per_batch: Annotated[int | None, typer.Option(min=1, help="Tokens of both sides in a batch.")] = None
    checkpoints: Annotated[Path | None, typer.Option(help="Where to keep them; default: OUTPUT.checkpoints.")] = None
    threads: Threads = 0
    engine: Engine = "local"
    random_seed: RandomSeed = 0

    @property
    def files(self) -> "PairFiles":
        """The pairs to train on."""
        from seedcorn.translation.file_to_file import PairFiles

        return PairFiles(
            pairs=self.pairs,
            target=self.target,
            dev=self.dev,
            dev_target=self.dev_target,
            dictionary=self.dictionary,
            in_domain=self.in_domain,
            source_lang=self.source_lang,
            target_lang=self.target_lang,
            spoken=self.spoken,
        )

    @property
    def selection(self) -> PairSelectionSettings:
        """Which of them are kept."""
        return PairSelectionSettings(
            cutoff=Cutoff(fraction=self.fraction) if self.distance is None else Cutoff(threshold=self.distance),
            minus_general=self.minus_general,
            encoder=Checkpoint.at(self.encoder) if self.encoder else None,
        )

    @property
    def training(self) -> TrainingSettings:
        """The preset, or the settings of fine-tuning, with what is given in their place."""
        return _training(
            self.preset,
            self.checkpoint,
            source_lang=self.source_lang,
            target_lang=self.target_lang,
            n_target_tokens=self.target_tokens,
            learning_rate=self.learning_rate,
            tokens_per_batch=self.tokens_per_batch,
            trim_vocabulary=self.trim_vocabulary,
        )


@translate.command()
@command_of
def train(options: TrainOptions) -> None:
    """Clean PAIRS, keep those near to in-domain text, train. Interrupted, the same command goes on where it stopped.

    With a larger --target-tokens the same command trains further. PAIRS are TSV, JSON lines, Parquet or TMX, or two
    files of lines with --target.
    """
    torch = require("torch", extra="neural")
    from seedcorn.translation.file_to_file import train_from_files

    if options.threads:
        torch.set_num_threads(options.threads)
    with progress(options.quiet):
        found = train_from_files(
            options.files,
            options.output,
            selection=options.selection,
            placeholder_fraction=options.placeholders,
            training=options.training,
            checkpoints=options.checkpoints or options.output.with_name(f"{options.output.name}.checkpoints"),
            random_seed=options.random_seed,
            mapper=parts_mapper(options.engine, options.threads),
        )
    show({**_shown(found), "output": str(options.output)}, as_json=options.as_json)


@dataclass(frozen=True, kw_only=True)
class RescoringOptions(Shown):
    """What n-best lists are rescored by, and what is written beside the best hypotheses."""

    lm: Annotated[Path | None, typer.Option(exists=True, help="In-domain language model of the target.")] = None
    lm_weight: Annotated[float, typer.Option(help="What the language model counts; the translation counts 1.")] = 0.5
    length_weight: Annotated[float, typer.Option(help="What each word counts.")] = 0.0
    nbest_output: Annotated[Path | None, typer.Option(help="Write the (rescored) n-best lists too (Moses).")] = None
    rejects: Annotated[Path | None, typer.Option(help="Write what is rejected, with reasons (JSONL).")] = None

    @property
    def weights(self) -> RescoringWeights:
        """The weights of the language model, if there is one, and of length."""
        return RescoringWeights(lm=self.lm_weight if self.lm else 0.0, length=self.length_weight)


@dataclass(frozen=True, kw_only=True)
class RunOptions(RescoringOptions):
    """What is translated, by what, and what becomes of slot values."""

    translator: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="The folder of a translator.")]
    source: InputFile
    output: OutputFile
    lang: Annotated[str, typer.Option(help="Language code of the output.")] = ""
    n_best: Annotated[int, typer.Option(min=1, help="Hypotheses a sentence.")] = 10
    entities: Annotated[Treatment, typer.Option(help="What becomes of slot values.")] = Treatment.TRANSLATE
    entities_of: Annotated[
        list[str] | None, typer.Option(help="Another treatment for a slot type: artist=latin; repeatable.")
    ] = None
    catalogue: Annotated[Path | None, typer.Option(exists=True, callback=from_pipe, help="Target slot values.")] = None
    lexicon: Annotated[Path | None, typer.Option(exists=True, help="Spellings for transliteration, TSV.")] = None
    reject_lost: Annotated[bool, typer.Option(help="Reject, rather than copy, lost placeholders.")] = False
    spoken: Annotated[bool, typer.Option("--spoken/--written", help="Translate words only, as trained.")] = True
    threads: Threads = 0
    engine: Engine = "local"
    random_seed: RandomSeed = 0

    @property
    def treatment(self) -> EntitySettings:
        """What becomes of slot values."""
        return EntitySettings(
            default=self.entities,
            by_type=_treatments(self.entities_of or ()),
            lost=Lost.REJECT if self.reject_lost else Lost.COPY,
            spoken=self.spoken,
        )


@translate.command()
@command_of
def run(options: RunOptions) -> None:
    """Translate the utterances of SOURCE with intents and slots, the best hypothesis of each, rescored by --lm."""
    require("ctranslate2", extra="neural")
    from seedcorn.translation.file_to_file import TranslationFiles, TranslationPass, translate_file

    files = TranslationFiles(
        translator=options.translator,
        source=options.source,
        catalogue=options.catalogue,
        lexicon=options.lexicon,
        lm=options.lm,
        nbest_output=options.nbest_output,
        rejects=options.rejects,
    )
    with progress(options.quiet):
        n_translated, n_rejected = translate_file(
            files,
            options.output,
            how=TranslationPass(
                entities=options.treatment,
                n_best=options.n_best,
                n_threads=options.threads if options.engine == "local" else 1,
                random_seed=options.random_seed,
                mapper=parts_mapper(options.engine, options.threads),
            ),
            weights=options.weights,
            lang=options.lang,
        )
    result: dict[str, Json] = {"n_translated": n_translated, "n_rejected": n_rejected, "output": str(options.output)}
    show(result, as_json=options.as_json)


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
