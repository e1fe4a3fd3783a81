"""``seedcorn lm interpolate``: mix language models linearly."""

from pathlib import Path
from typing import Annotated

import typer

from seedcorn.cli.lm import Tokens, TokensOption, lm, texts_of, write_to
from seedcorn.cli.options import AsJson, Quiet, progress, refuse_overwriting, show
from seedcorn.errors import ConfigError


@lm.command()
def interpolate(
    models: Annotated[list[Path], typer.Argument(exists=True, help="The models to mix.")],
    dev: Annotated[Path | None, typer.Option(exists=True, help="Text that the weights are fitted on.")] = None,
    weight: Annotated[list[float] | None, typer.Option(help="A weight a model, instead of --dev.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write one static model here.")] = None,
    own_vocabularies: Annotated[
        bool, typer.Option("--own-vocabularies", help="Fit with each model's own <unk>; sums may exceed one.")
    ] = False,
    tokens: TokensOption = Tokens.WHITESPACE,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Mix models linearly: fit the weights by EM on dev text, and write one static back-off model."""
    from seedcorn.lm.interpolation import Mixture, fit_mixture, share_vocabulary, static_model
    from seedcorn.lm.model_file import read_model
    from seedcorn.lm.perplexity import measure_perplexity

    refuse_overwriting(output, *models, dev)
    if (dev is None) == (not weight):
        raise ConfigError(wanted="either --dev or a --weight a model", found="both or neither")
    with progress(quiet):
        loaded = tuple(read_model(path) for path in models)
        loaded = loaded if own_vocabularies else share_vocabulary(loaded)
        if dev is None:
            mixture = Mixture(models=loaded, weights=tuple(weight or ()))
        else:
            mixture = fit_mixture(loaded, texts_of([dev], tokens))
        result: dict[str, float | str] = {f"weight of {p}": w for p, w in zip(models, mixture.weights, strict=True)}
        if dev is not None:
            result["dev_perplexity"] = measure_perplexity(mixture, texts_of([dev], tokens)).perplexity
        if output is not None:
            static = static_model(mixture)
            write_to(static, output)
            if dev is not None:
                result["dev_perplexity_of_static_model"] = measure_perplexity(
                    static, texts_of([dev], tokens)
                ).perplexity
            result["output"] = str(output)
    show(result, as_json=as_json)
