"""What a round starts from: the agent of the run before, new logs, new labels, new intents, and what is measured on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, JsonValue, model_validator

from seedcorn.corpus.settings import CorpusFile, open_corpus, utterances_in
from seedcorn.corpus.tables import read_utterances, write_utterances
from seedcorn.corpus.utterances import Utterance
from seedcorn.deployment.tasks import with_ids
from seedcorn.errors import ConfigError, DataError
from seedcorn.files import Json, read_json, write_json
from seedcorn.growth.agent import Agent, RunBefore
from seedcorn.growth.answers import Answers, read_answers, read_renames, with_renames
from seedcorn.growth.rounds import RoundSettings, grow
from seedcorn.input_files import InputFile
from seedcorn.nlu.label_noise import in_words
from seedcorn.nlu.linear import LinearNlu
from seedcorn.nlu.out_of_scope import OUT_OF_SCOPE
from seedcorn.runs import Context, Stage

_SETS = ("logs", "labels", "new_seed", "to_relabel", "out_of_scope", "dev", "test")


@dataclass(frozen=True, kw_only=True)
class GrowthData:
    """What a round starts from.

    ``agent`` has its intents under the names of today. ``to_relabel`` are utterances that nobody's label holds for any
    more: of an intent that was split, or that annotators were unsure of. ``conflicts`` has a row a contradiction.
    """

    agent: Agent
    logs: Sequence[Utterance]
    labels: Sequence[Utterance]
    new_seed: Sequence[Utterance]
    to_relabel: Sequence[Utterance]
    out_of_scope: Sequence[Utterance]
    dev: Sequence[Utterance]
    test: Sequence[Utterance]
    conflicts: Sequence[Mapping[str, Json]]

    @property
    def intents(self) -> tuple[str, ...]:
        """The intents that the agent has been grown for after this round, sorted."""
        return tuple(sorted({*self.agent.intents, *(u.intent for u in self.new_seed)}))

    @property
    def counts(self) -> Mapping[str, int]:
        """How many utterances each set has."""
        sets = {f"n_{name}": len(getattr(self, name)) for name in _SETS}
        return {"n_labelled_before": len(self.agent.labelled), **sets, "n_conflicts": len(self.conflicts)}

    def save(self, folder: Path) -> None:
        """Write a copy of everything."""
        self.agent.save(folder / "agent")
        for name in _SETS:
            write_utterances(getattr(self, name), folder / f"{name}.parquet")
        write_json(list(self.conflicts), folder / "conflicts.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        sets = {name: read_utterances(folder / f"{name}.parquet") for name in _SETS}
        conflicts = read_json(folder / "conflicts.json", list[dict[str, JsonValue]])
        return cls(agent=Agent.load(folder / "agent"), conflicts=conflicts, **sets)


class ReadGrowthData(Stage[GrowthData]):
    """Read what the round starts from, and keep a copy in the run.

    ``before`` is the folder of the run before, of ``seedcorn grow`` or ``intent``; where there is none, the agent is
    trained on ``labelled``, whose intents are all background but ``intents``. ``pool`` are the logs since then,
    ``labels`` files of answers to what was given out, ``new_intents`` the annotated seed of intents that are new,
    ``renames`` a mapping of intents that were renamed or split. ``out_of_scope`` is text that is none of the intents.
    """

    stage_name: ClassVar[str] = "data"

    before: RunBefore | None = None
    labelled: CorpusFile | None = None
    intents: tuple[str, ...] = ()
    pool: tuple[CorpusFile, ...] = Field(min_length=1)
    labels: tuple[InputFile, ...] = ()
    new_intents: CorpusFile | None = None
    renames: InputFile | None = None
    out_of_scope: CorpusFile | None = None
    dev: CorpusFile | None = None
    test: CorpusFile
    first_model: RoundSettings = RoundSettings(n_rounds=0)

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        if (self.before is None) == (self.labelled is None):
            raise ValueError("give either 'before', the folder of a finished run, or 'labelled' and 'intents'")
        if self.labelled is not None and not self.intents:
            raise ValueError("give the 'intents' that the agent has been grown for, beside 'labelled'")
        return self

    def __call__(self, *, context: Context) -> GrowthData:
        """Return everything that was read.

        Raises DataError for an empty file, answers about what was not given out and an old run of another version;
        ConfigError for a new intent that there was before, and a mapping of intents that there were not.
        """
        agent, split = self._renamed(self._agent(context.random_seed))
        logs = with_ids(replace(u, domain="", intent="", slots=()) for u in self._logs())
        new_seed = self._new_seed(agent)
        names = {u.intent for u in (*agent.labelled, *new_seed)}
        asked = [*logs, *agent.logs, *split, *(self.before.given_out() if self.before else ())]
        answers = read_answers([file.path for file in self.labels], asked=asked, intents=names)
        labelled_now = {u.text for u in answers.labels}
        test = utterances_in(self.test, name="test")
        _check_measurable(test, agent)
        return GrowthData(
            agent=agent,
            logs=logs,
            labels=answers.labels,
            new_seed=new_seed,
            to_relabel=[u for u in (*split, *answers.unsure) if u.text not in labelled_now],
            out_of_scope=[] if self.out_of_scope is None else utterances_in(self.out_of_scope, name="out_of_scope"),
            dev=[] if self.dev is None else utterances_in(self.dev, name="dev"),
            test=test,
            conflicts=_conflict_rows(answers),
        )

    def _logs(self) -> list[Utterance]:
        logs = [u for file in self.pool for u in open_corpus(file).utterances()]
        if not logs:
            where = ", ".join(file.path.written for file in self.pool)
            raise DataError(wanted="new text since the run before", found="none", where=where)
        return logs

    def _agent(self, random_seed: int) -> Agent:
        if self.before is not None:
            return self.before.agent()
        labelled = [u for u in utterances_in(self.labelled, name="labelled") if u.intent] if self.labelled else []
        grown = grow(labelled, [], intents=self.intents, settings=self.first_model, random_seed=random_seed)
        return Agent(
            intents=tuple(sorted(self.intents)),
            labelled=tuple(labelled),
            self_labelled=(),
            logs=(),
            model=grown.model,
        )

    def _renamed(self, agent: Agent) -> tuple[Agent, tuple[Utterance, ...]]:
        if self.renames is None:
            return agent, ()
        renames = read_renames(self.renames.path, intents={u.intent for u in agent.labelled})
        renamed = with_renames(agent.labelled, renames)
        intents = {name for intent in agent.intents for name in renames.get(intent, (intent,))}
        own = with_renames(agent.self_labelled, renames)
        return (
            replace(
                agent,
                intents=tuple(sorted(intents & {u.intent for u in renamed.utterances})),
                labelled=renamed.utterances,
                self_labelled=(*own.utterances, *own.to_annotate),
                model=_with_names(agent, renames),
            ),
            tuple(with_ids(renamed.to_annotate)),
        )

    def _new_seed(self, agent: Agent) -> list[Utterance]:
        if self.new_intents is None:
            return []
        seed = [u for u in utterances_in(self.new_intents, name="new_intents") if u.intent]
        if not seed:
            raise DataError(
                wanted="annotated utterances of new intents",
                found="none with an intent",
                where=self.new_intents.path.written,
            )
        known = sorted({u.intent for u in seed} & set(agent.intents))
        if known:
            raise ConfigError(
                wanted="intents that the agent was not grown for yet in 'data.new_intents'",
                found=", ".join(known),
                fix="Give further utterances of these as 'labels'.",
            )
        return seed


def _with_names(agent: Agent, renames: Mapping[str, Sequence[str]]) -> LinearNlu:
    """Return the model that answers by the new names; the intents that were split keep their old one."""
    maxent = agent.model.maxent

    def name(intent: str) -> str:
        return renames[intent][0] if len(renames.get(intent, ())) == 1 else intent

    intents = tuple(name(intent) for intent in maxent.intents)
    slot_intents, fine_tuned = agent.model.slot_intents, agent.model.fine_tuned
    return replace(
        agent.model,
        maxent=replace(maxent, intents=intents),
        fine_tuned=None if fine_tuned is None else replace(fine_tuned, outputs=intents),
        slot_intents=None if slot_intents is None else tuple(name(intent) for intent in slot_intents),
    )


def _check_measurable(test: Sequence[Utterance], agent: Agent) -> None:
    if not any(u.intent in agent.intents for u in test):
        raise DataError(
            wanted=f"utterances of {', '.join(agent.intents)} in test, to certify that they did not get worse",
            found=f"none among {len(test):,}",
            where="data.test",
            fix="Add some, or check its path and 'where'.",
        )


def _conflict_rows(answers: Answers) -> list[Mapping[str, Json]]:
    return [
        {
            "id": conflict.id,
            "text": conflict.text,
            "labels": [
                {
                    "intent": "none of these" if label.intent == OUT_OF_SCOPE else label.intent,
                    "slots": in_words(label.text, label.slots),
                    "annotators": list(who),
                }
                for label, who in conflict.labels
            ],
        }
        for conflict in answers.conflicts
    ]
