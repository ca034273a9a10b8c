"""`xray-ai serve` that dies where it is told to: the process that comes to the place in the file `die_at` kills itself.

A place is MEMBER before|after FUNCTION; a function is a workflow of the path, or a name that `wrapped.json` lists.
The code of the service stays as it is: these names are bound anew, and the members, which are forked, inherit that.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import ParamSpec, TypeVar

from xray_ai import process_tree, service
from xray_ai.cli import main
from xray_ai.config import Settings

DIE_AT, WRAPPED = Path("die_at"), Path("wrapped.json")
MEMBER = "XRAY_AI_TEST_MEMBER"
P = ParamSpec("P")
R = TypeVar("R")


def die_if_told(place: str) -> None:
    """Do what a power cut does."""
    try:
        if DIE_AT.read_text("utf-8") != f"{os.environ.get(MEMBER)} {place}":
            return
        DIE_AT.unlink()  # once: the first of all threads that come here
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def mortal(function: Callable[P, R], target: str) -> Callable[P, R]:
    @wraps(function)
    def run(*arguments: P.args, **named: P.kwargs) -> R:
        die_if_told(f"before {target}")
        answer = function(*arguments, **named)
        die_if_told(f"after {target}")
        return answer

    return run


def wrap(target: str) -> None:
    """Replace what others call as MODULE:NAME or MODULE:CLASS.NAME."""
    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    owner = import_module(module)
    for one in owners:
        owner = getattr(owner, one)
    setattr(owner, name, mortal(getattr(owner, name), target))


def as_member(name: str, run: Callable[[Settings], None]) -> Callable[[Settings], None]:
    def be(settings: Settings) -> None:
        os.environ[MEMBER] = name
        run(settings)

    return be


process_tree.STEADY_S = 0.0  # who died starts again without waiting
for member, run in service.MEMBERS.items():
    service.MEMBERS[member] = as_member(member, run)
for workflow, step in service.PATH.items():
    service.PATH[workflow] = mortal(step, workflow.value)
for target in json.loads(WRAPPED.read_text("utf-8")):
    wrap(target)
main(sys.argv[1:])
