"""``seedcorn translate rescore``: the best hypothesis of each n-best list, kept or rejected."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seedcorn.cli.commands import command_of
from seedcorn.cli.options import OutputFile, progress, show
from seedcorn.cli.pipes import from_pipe
from seedcorn.cli.translate import RescoringOptions, translate
from seedcorn.files import Json

if TYPE_CHECKING:
    from seedcorn.translation.file_rescoring import RescoredFile


@dataclass(frozen=True, kw_only=True)
class RescoreOptions(RescoringOptions):
    """The lists, their sources, and what is kept."""

    nbest: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A Moses n-best file.")]
    source: Annotated[Path, typer.Argument(exists=True, callback=from_pipe, help="Its source sentences.")]
    output: OutputFile
    score_feature: Annotated[
        str, typer.Option(help="The translation score: this feature; translation_logp or the total if absent.")
    ] = ""
    references: Annotated[Path | None, typer.Option(exists=True, help="Tune the weights on these (dev).")] = None
    keep_above: Annotated[
        float | None, typer.Option(help="Reject what is less likely per word (natural log) to the language model.")
    ] = None
    curve: Annotated[bool, typer.Option(help="Show what each cut-off keeps.")] = False


@translate.command()
@command_of
def rescore(options: RescoreOptions) -> None:
    """Choose the best hypothesis of each list by translation and language model; tune the weights; keep or reject."""
    from seedcorn.translation.file_rescoring import RescoringFiles, rescore_file

    files = RescoringFiles(
        nbest=options.nbest,
        score_feature=options.score_feature,
        source=options.source,
        lm=options.lm,
        references=options.references,
        nbest_output=options.nbest_output,
        rejects=options.rejects,
    )
    with progress(options.quiet):
        found = rescore_file(
            files,
            options.output,
            weights=options.weights,
            keep_above=options.keep_above,
            with_curve=options.curve,
        )
    curve = _curve(found) if options.as_json else {}
    show({**_kept(found), "output": str(options.output), **curve}, as_json=options.as_json)
    for p in [] if options.as_json else found.curve:
        typer.echo(f"--keep-above {p.logp_per_word:.3f} keeps {p.n_kept:,} lists ({p.kept_fraction:.0%})")


def _kept(found: "RescoredFile") -> dict[str, Json]:
    return {
        "n_lists": found.n_lists,
        "n_kept": found.n_kept,
        "n_rejected": found.n_rejected,
        "lm_weight": found.weights.lm,
        "length_weight": found.weights.length,
    }


def _curve(found: "RescoredFile") -> dict[str, Json]:
    points: list[Json] = [
        {"kept_fraction": p.kept_fraction, "n_kept": p.n_kept, "logp_per_word": p.logp_per_word} for p in found.curve
    ]
    return {"curve": points} if points else {}
