"""What else must be installed for a configuration of the language pipeline."""

from seedcorn.errors import require_all
from seedcorn.language.config import LanguagePipeline
from seedcorn.language.sources import SlotVariants
from seedcorn.language.translators import TranslatorName


def check_packages(config: LanguagePipeline) -> None:
    """Raise MissingExtraError now, not after an hour, when a package is missing."""
    needed = [("jinja2", "report"), ("altair", "report"), ("vl_convert", "report")]
    if config.translation_sets():
        needed += [(name, "neural") for name in ("torch", "transformers", "accelerate", "ctranslate2", "sacrebleu")]
    if TranslatorName.ENDPOINT in {wanted.translator for wanted in config.sets_made_elsewhere()}:
        needed.append(("openai", "llm"))
    if any(isinstance(source, SlotVariants) and source.spoken_values for source in config.sources().values()):
        needed += [(name, "values") for name in ("babel", "num2words")]
    recogniser = config.recogniser
    if recogniser is not None and recogniser.test_bed is not None:
        needed += [(name, "speech") for name in ("torch", "safetensors", "espeakng_loader")]
    if recogniser is not None and recogniser.files is not None and recogniser.files.checkpoint:
        needed += [("torch", "neural"), ("transformers", "neural"), ("soundfile", "speech")]
    if recogniser is not None and recogniser.files is not None and recogniser.files.acoustic_model:
        needed += [(name, "speech") for name in ("torch", "safetensors", "soundfile")]
    require_all(needed)
