"""The MCP server: lists the tools that the key can use, and turns a call into an answer for the model."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import mcp_types as types
import structlog
from mcp.server import Server, ServerRequestContext

from leadyard.agents.advice import next_step
from leadyard.agents.arguments import read_arguments
from leadyard.agents.catalogue import INSTRUCTIONS, tool_named, tools_for
from leadyard.agents.shown_text import NOTICE, cleaned
from leadyard.agents.tool import Call, Data, Effect, Tool
from leadyard.api_client.api import Api
from leadyard.api_client.refused import Refused

Context = ServerRequestContext[Any, Any]
ApiOf = Callable[[Context], Api]
"""Returns the API for the key of a request."""
# The clients of MCP read at most 1 MiB of a stream at once, and an answer is in it twice, as text and as data.
MAX_ANSWER_LENGTH = 100_000
_log = structlog.get_logger("leadyard.agents")


def build_server(api_of: ApiOf) -> Server[Any]:
    """Returns the server for one transport. `api_of` finds the API of each request."""

    _keep_library_quiet()

    async def list_tools(context: Context, _params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        try:
            permissions = await api_of(context).permissions()
        except Refused:
            # A key that is not valid, or a service that is down. The first call then explains it to the model.
            permissions = None
        return types.ListToolsResult(tools=[_as_listed(each) for each in tools_for(permissions)])

    async def call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        return await _answer(params, Call(api_of(context), _reporter(context)))

    return Server(
        "leadyard",
        title="Leadyard",
        version=version("leadyard"),
        instructions=INSTRUCTIONS,
        get_tool_input_schema=_schema_of,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _keep_library_quiet() -> None:
    """Keeps the library's own lines out of the log: they are not JSON, and may contain the texts of a call. This module
    logs what has failed."""
    logging.getLogger("mcp").setLevel(logging.CRITICAL + 1)


def _reporter(context: Context) -> Callable[[float, str], Any]:
    async def report(part: float, message: str) -> None:
        await context.session.report_progress(part, 1.0, message)

    return report


def _schema_of(name: str) -> dict[str, Any] | None:
    found = tool_named(name)
    return None if found is None else found.schema


def _as_listed(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.schema,
        annotations=types.ToolAnnotations(
            title=tool.title,
            read_only_hint=tool.effect is Effect.READS,
            destructive_hint=tool.effect is Effect.CHANGES,
            idempotent_hint=tool.is_repeatable,
            open_world_hint=tool.reaches_out,
        ),
    )


async def _answer(params: types.CallToolRequestParams, call: Call) -> types.CallToolResult:
    """Runs the tool. A refusal is an answer to the model, and never an error of the protocol, which it would not
    see."""
    try:
        tool = tool_named(params.name)
        if tool is None:
            raise Refused("UNKNOWN_TOOL", "There is no tool of this name.")
        done = await tool.run(call, read_arguments(tool.arguments, params.arguments))
        return _result(_short(cleaned({"notice": NOTICE, **done})), is_error=False)
    except Refused as refusal:
        return _result(cleaned(_error(refusal)), is_error=True)
    except Exception:
        _log.exception("tool_failed", tool=params.name[:64])
        bug = Refused(
            "INTERNAL_ERROR", "Something went wrong on our side.", "It is unknown whether the call had an effect."
        )
        return _result(_error(bug), is_error=True)


def _short(data: Data) -> Data:
    """Returns the data. Raises Refused if its text is too long for a model, and for a stream of events."""
    if len(_text(data)) <= MAX_ANSWER_LENGTH:
        return data
    raise Refused(
        "ANSWER_TOO_LONG",
        f"The answer has more than {MAX_ANSWER_LENGTH:,} characters.",
        "A tool that changes something has done so.",
        next_step="Call again with a smaller limit or fewer fields. If the call was to change something, look with "
        "list_changes first.",
    )


def _text(data: Data) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _error(refusal: Refused) -> Data:
    error = {"code": refusal.code, "message": refusal.message, "details": refusal.details, **refusal.extra}
    if refusal.wait_s is not None:
        error["retryAfterSeconds"] = refusal.wait_s
    given = {name: value for name, value in error.items() if value not in (None, "")}
    return {"notice": NOTICE, "error": given, "next": next_step(refusal)}


def _result(data: Data, *, is_error: bool) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=_text(data))], structured_content=data, is_error=is_error
    )
