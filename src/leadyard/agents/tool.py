"""A tool: the function that a model calls, with its arguments, its effect and the permissions that it needs."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from leadyard.agents.arguments import Arguments, InGroup, schema_of
from leadyard.api_client.api import Api
from leadyard.api_client.refused import Refused
from leadyard.model import Permission

Data = dict[str, Any]
Report = Callable[[float, str], Awaitable[None]]
"""Reports progress, from 0 to 1, with a sentence, to a client that wants it."""
_LISTED_GROUPS = 20


class Effect(Enum):
    """The effect of a tool on the lists."""

    READS = "reads"
    ADDS = "adds"
    """It adds people, and takes none away and changes none."""
    CHANGES = "changes"
    """It takes people from lists, or ends or replaces something."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool: the API of the key that calls, and the way to report progress."""

    api: Api
    report: Report

    async def group(self, arguments: InGroup) -> str:
        """Returns the path of the account group. Raises Refused if the arguments name none and the key has several."""
        if arguments.account_group_id is not None:
            return f"/v1/accounts/{arguments.account_group_id}"
        groups = (await self.api.get("/v1/accounts", limit=_LISTED_GROUPS))["items"]
        if len(groups) == 1:
            return f"/v1/accounts/{groups[0]['id']}"
        raise Refused(
            "ACCOUNT_GROUP_NEEDED",
            f"The key may use {len(groups) or 'no'} account groups, so you must name one in accountGroupId.",
            extra={"accountGroups": [{"id": each["id"], "name": each["name"]} for each in groups]},
            next_step="Call again with the accountGroupId that the user means. If you are not sure, let the user "
            "choose.",
        )


@dataclass(frozen=True)
class Tool:
    """A tool. Its description, for a model that has never seen Leadyard, is the docstring of its function.

    It needs one of the permissions `needs`, or none if that is empty. `is_repeatable`: a second call with the same
    arguments changes nothing more. `reaches_out`: it may use services outside of Leadyard.
    """

    run: Callable[[Call, Any], Awaitable[Data]]
    arguments: type[Arguments]
    title: str
    effect: Effect
    needs: tuple[Permission, ...]
    is_repeatable: bool
    reaches_out: bool

    @property
    def name(self) -> str:
        """The name under which a model calls it."""
        return self.run.__name__

    @cached_property
    def description(self) -> str:
        """The text that a model reads before it chooses a tool."""
        paragraphs = inspect.cleandoc(self.run.__doc__ or "").split("\n\n")
        return "\n".join(" ".join(each.split()) for each in paragraphs)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the arguments."""
        return schema_of(self.arguments)


def tool(
    arguments: type[Arguments],
    *,
    title: str,
    effect: Effect,
    needs: tuple[Permission, ...] = (),
    is_repeatable: bool = True,
    reaches_out: bool = False,
) -> Callable[[Callable[[Call, Any], Awaitable[Data]]], Tool]:
    """A decorator that makes a tool of a function with the name of the tool. `Tool` explains the arguments."""

    def decorate(run: Callable[[Call, Any], Awaitable[Data]]) -> Tool:
        return Tool(run, arguments, title, effect, needs, is_repeatable, reaches_out)

    return decorate
