"""The one transition: an episode, an action as it was sent, and what came of it. Every surface renders this result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from env_core.briefing import describe_step
from env_core.episode import Episode, advance
from env_core.observation import observe, render_evidence, report_grade
from scenarios.errors import CloudIncidentError
from scenarios.parsing import parse_action
from scenarios.vocabulary import Action, to_reward

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from env_core.observation import Observation, ProgressReport, StepInfo
    from scenarios.evidence import Evidence


class EpisodeOverError(CloudIncidentError):
    """A step on an episode that has ended, with its scenario and its score, unless that is withheld. Nothing was
    changed."""

    code = "episode_over"

    def __init__(self, episode: Episode) -> None:
        super().__init__(f"Episode {episode.id} is over.")
        self.episode = episode
        self.scenario_id = episode.reference.scenario_id
        self.score = episode.grade.score if episode.grade is not None else None

    def explain(self, starting: str) -> str:
        score = "Nothing" if self.score is None else f"Its score is {self.score:.4f}; nothing"
        return f"{self} {score} was changed. {starting} starts another."


class Transition(NamedTuple):
    """What came of asking an episode for something, for surfaces to render.

    `stepped`: a step was taken; a reset, a look at the episode and a refused action take none. `refusal`: why an action
    was refused; nothing has changed then.
    """

    episode: Episode
    stepped: bool = False
    refusal: CloudIncidentError | None = None

    @property
    def reward(self) -> float:
        """What the step earned, in [-1, 1]; 0.0 where none was taken."""
        last = self.episode.last
        return to_reward(last.reward) if self.stepped and last is not None else 0.0

    @property
    def done(self) -> bool:
        return self.episode.done

    @property
    def terminated(self) -> bool:
        """Whether a submission has ended the episode."""
        return self.episode.done and not self.episode.truncated

    @property
    def truncated(self) -> bool:
        """Whether the step limit has ended the episode."""
        return self.episode.truncated

    @property
    def accepted(self) -> bool:
        """Whether nothing was refused."""
        return self.refusal is None

    @property
    def error(self) -> str | None:
        """What was wrong: the refusal, or the error of the last step. None if nothing was."""
        if self.refusal is not None:
            return str(self.refusal)
        last = self.episode.last
        return last.error if last else None

    def observation(self, render: Callable[[Evidence], Any] = render_evidence) -> Observation:
        """What the agent is shown. `render` converts each piece of evidence to JSON; by default it gives the text."""
        return observe(self.episode, render)

    def info(self) -> StepInfo:
        """What a trainer wants to know beside observation, reward and end."""
        last = self.episode.last
        events = last.events if self.stepped and last is not None else ()
        info: StepInfo = {
            "reward_events": {event: to_reward(points) for event, points in events},
            "terminated": self.terminated,
            "truncated": self.truncated,
            "seed": self.episode.reference.seed,
        }
        if not self.episode.incident.proved:
            info["proved"] = False
        if self.episode.grade is not None:
            info["grade"] = report_grade(self.episode.grade, self.episode.incident)
        return info

    def report(self) -> ProgressReport:
        """The numbers of the episode, without evidence; after the end with its grade."""
        episode, last = self.episode, self.episode.last
        report: ProgressReport = {
            "episode_id": episode.id,
            "task_id": episode.task.id,
            "scenario_id": episode.reference.scenario_id,
            "step_count": episode.step_count,
            "max_steps": episode.task.max_steps,
            "reward": self.reward,
            "cumulative_reward": episode.cumulative_reward,
            "done": episode.done,
            "feedback": last.feedback if last else episode.task.objective,
            "last_action_error": last.error if last else None,
        }
        if episode.grade is not None:
            report["grade"] = report_grade(episode.grade, episode.incident)
        return report

    def text(self, evidence: str | None = None, *, rewards: bool = True) -> str:
        """The last step for a model: what it showed, what it earned, what remains; after the end score and debrief.

        `evidence` replaces the text of the evidence, if a surface shows only a part of it. Without `rewards` it does
        not say what the step earned.
        """
        return describe_step(self.episode, evidence, rewards=rewards)


def read_action(sent: Action | Mapping[str, Any]) -> Action:
    """An action as it was sent, `{"action_type": …, "parameters": {…}}`; one that is parsed already is given back.

    Raises:
        InvalidActionError: if it is not valid.
    """
    return sent if isinstance(sent, Action) else parse_action(sent.get("action_type"), sent.get("parameters"))


def step(episode: Episode, sent: Action | Mapping[str, Any]) -> Transition:
    """Take a step.

    Raises:
        InvalidActionError: if the action is not valid.
        EpisodeOverError: if the episode has ended.
    """
    action = read_action(sent)
    if episode.done:
        raise EpisodeOverError(episode)
    return Transition(advance(episode, action), stepped=True)
