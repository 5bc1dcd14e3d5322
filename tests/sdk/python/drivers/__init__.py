"""One module an SDK. A driver asks with its SDK what a case wants to know, and says what came in words that are the
same for all of them. What it does not do for its SDK it says in `lacks`."""

from dataclasses import dataclass, field


@dataclass
class Said:
    """An answer, however its SDK holds it."""

    text: str
    # All tokens of the prompt, those from a cache included; `None` when the SDK was told nothing.
    prompt: int | None = None
    output: int | None = None


@dataclass
class Round:
    """A tool round: the calls in order, each a name and its arguments, and what was said once their results were in."""

    calls: list = field(default_factory=list)
    text: str = ""


# What each tool answers in a round.
RESULTS = {"get_weather": "sunny spells", "get_time": "half past nine"}
