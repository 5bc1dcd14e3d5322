"""How each agent is set up, asked and understood: one module an agent.

A driver has these names:

    name                       of this way of using the agent
    program                    the file in `node_modules/.bin`
    surface                    what it speaks to the gateway, as the ledger names it
    wires                      those of the normal run: one that speaks the same, and another
    losses                     what it asks for that another dialect cannot say, as codes of warnings
    order                      the tool that shows a file, and its arguments
    prepare(home)              writes the configuration, where the environment is not enough
    arguments(model)           the command line; the prompt comes on standard input
    environment(home, model)   variables beside PATH, HOME and TMPDIR
    said(lines)                the last words of the agent, from the JSON lines that it printed
"""

from .claude import Claude
from .codex import Codex
from .copilot import Copilot
from .gemini import Gemini
from .opencode import OpenCode

DRIVERS = [Claude(), Codex(), Gemini(), *Copilot.ways(), *OpenCode.ways()]
