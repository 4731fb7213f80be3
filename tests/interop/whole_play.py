"""What a scripted model of any framework does in an incident that it starts itself, by what it was shown so far."""

import json
import re

_NEUTRAL = {"string": "", "integer": 0, "number": 0, "boolean": False}


def load_plays(plays_file):
    """The perfect play of the first scenario of each task."""
    with open(plays_file) as file:
        return [play for play in json.load(file) if play["scenario_id"].endswith("-001")]


def choose_call(play, shown):
    """The tool to call next and its arguments; None after the last step. The handle is read from what was shown."""
    if not shown:
        return "start_drill", {"incident": play["scenario_id"]}
    if len(shown) > len(play["calls"]):
        return None
    handle = re.search(r"episode_id: (\S+)", shown[0])[1]
    call = play["calls"][len(shown) - 1]
    return call["tool"], {**call["arguments"], "episode_id": handle}


def fill_arguments(properties, given):
    """A value for every parameter of a tool, as models must send under a strict schema: what is left out is neutral."""
    return {
        name: given.get(name, declared.get("default", _NEUTRAL.get(declared["type"])))
        for name, declared in properties.items()
    }


def check_shown(play, shown):
    """Find in what a model was shown, from the briefing to the score, all evidence of the play in process."""
    assert play["scenario_id"] in shown[0]
    for call, text in zip(play["calls"], shown[1:], strict=True):
        assert (call["evidence"] or "") in text, (play["scenario_id"], call["tool"], text)
    assert play["score"] == 1.0
    assert "Score 1.0" in shown[-1]
