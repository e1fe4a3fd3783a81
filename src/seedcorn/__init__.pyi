"""What type checkers see of the public names; a test holds it to those that are loaded."""

from seedcorn.config import load_config as load_config
from seedcorn.corpus.builtin import builtin_general as builtin_general
from seedcorn.corpus.builtin import builtin_pairs as builtin_pairs
from seedcorn.corpus.builtin import builtin_requests as builtin_requests
from seedcorn.corpus.contamination import screen_pool as screen_pool
from seedcorn.corpus.formats import read_corpus as read_corpus
from seedcorn.corpus.formats import write_corpus as write_corpus
from seedcorn.corpus.formats.pairs import read_pairs as read_pairs
from seedcorn.corpus.formats.pairs import write_pairs as write_pairs
from seedcorn.corpus.predictions import Prediction as Prediction
from seedcorn.corpus.utterances import Corpus as Corpus
from seedcorn.corpus.utterances import Slot as Slot
from seedcorn.corpus.utterances import Utterance as Utterance
from seedcorn.diversity.choosing import DiversityChoice as DiversityChoice
from seedcorn.diversity.choosing import choose_diverse as choose_diverse
from seedcorn.diversity.submodular import select_diverse as select_diverse
from seedcorn.errors import SeedcornError as SeedcornError
from seedcorn.evaluation.bootstrap import paired_bootstrap as paired_bootstrap
from seedcorn.evaluation.nlu import outcomes as outcomes
from seedcorn.evaluation.wer import character_errors as character_errors
from seedcorn.evaluation.wer import word_errors as word_errors
from seedcorn.intent.pipeline import IntentConfig as IntentConfig
from seedcorn.intent.pipeline import run_intent as run_intent
from seedcorn.language.pipeline import LanguageConfig as LanguageConfig
from seedcorn.language.pipeline import run_language as run_language
from seedcorn.lm.interpolation import fit_mixture as fit_mixture
from seedcorn.lm.interpolation import static_model as static_model
from seedcorn.lm.kneser_ney import estimate as estimate
from seedcorn.lm.model_file import read_model as read_model
from seedcorn.lm.model_file import write_model as write_model
from seedcorn.lm.ngram_model import NgramModel as NgramModel
from seedcorn.lm.perplexity import measure_perplexity as measure_perplexity
from seedcorn.lm.pruning import prune_by_entropy as prune_by_entropy
from seedcorn.nlu.linear import LinearSettings as LinearSettings
from seedcorn.nlu.linear import train_linear as train_linear
from seedcorn.nlu.saved_model import NluModel as NluModel
from seedcorn.nlu.saved_model import load_nlu as load_nlu
from seedcorn.nlu.saved_model import save_nlu as save_nlu
from seedcorn.nlu.self_training import GatedSettings as GatedSettings
from seedcorn.nlu.self_training import self_train as self_train
from seedcorn.nlu.teacher import train_teacher as train_teacher
from seedcorn.relevance.cutoff import Cutoff as Cutoff
from seedcorn.relevance.linear import relevance_scores as relevance_scores
from seedcorn.relevance.logistic import fit_logistic as fit_logistic
from seedcorn.relevance.relevant import RelevanceSettings as RelevanceSettings
from seedcorn.relevance.relevant import find_relevant as find_relevant
from seedcorn.runs import Context as Context
from seedcorn.runs import open_run as open_run
from seedcorn.selection import Scores as Scores
from seedcorn.selection import Selection as Selection
from seedcorn.translation.training import train_translator as train_translator
from seedcorn.translation.translator import load_translator as load_translator

__version__: str
__all__: list[str]
