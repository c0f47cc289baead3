"""An agent program: the client of the official MCP library, over both transports, with a key or as operator."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx2
import mcp_types as types
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from rig.secret_key import SECRET_KEY
from rig.service import Tenant

R = TypeVar("R")
HTTP, STDIO_TO_SERVICE, STDIO_ON_DATABASE = "http", "stdio to a service", "stdio on a database"
WAYS_IN = (HTTP, STDIO_TO_SERVICE, STDIO_ON_DATABASE)


@dataclass
class Agent:
    """A connected agent. It remembers the progress that tools have reported."""

    client: Client
    progress: list[float] = field(default_factory=list)

    async def tools(self) -> dict[str, types.Tool]:
        return {each.name: each for each in (await self.client.list_tools()).tools}

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Returns the data of a call that must succeed."""
        result = await self.answer(tool, arguments)
        assert not result.is_error, result.structured_content
        return data_of(result)

    async def refusal(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Returns the data of a call that must be refused."""
        result = await self.answer(tool, arguments)
        assert result.is_error, result.structured_content
        return data_of(result)

    async def answer(self, tool: str, arguments: dict[str, Any]) -> types.CallToolResult:
        async def note(progress: float, total: float | None, message: str | None) -> None:
            assert total == 1.0 and message
            self.progress.append(progress)

        return await self.client.call_tool(tool, arguments, progress_callback=note)


def data_of(result: types.CallToolResult) -> dict[str, Any]:
    """Returns the data of an answer, which is in it twice: for programs, and as text for models."""
    [content] = result.content
    assert isinstance(content, types.TextContent)
    data: dict[str, Any] = json.loads(content.text)
    assert data == result.structured_content
    return data


def with_agent(
    tenant: Tenant,
    work: Callable[[Agent], Awaitable[R]],
    *,
    way_in: str = HTTP,
    key: str | None = None,
    mode: str = "auto",
) -> R:
    """Runs the work of an agent of this account group, and returns its result."""

    async def run() -> R:
        if way_in == HTTP:
            headers = {"Authorization": f"Bearer {key or tenant.key}"}
            async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
                url = f"{tenant.service.base_url}/mcp"
                async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
                    return await work(Agent(client))
        async with Client(stdio_program(tenant, way_in, key=key), mode=mode) as client:
            return await work(Agent(client))

    return asyncio.run(run())


def stdio_program(tenant: Tenant, way_in: str, *, key: str | None = None) -> StdioServerParameters:
    """Returns the command with which an agent program starts `leadyard mcp`."""
    arguments, environment = stdio_command(tenant, way_in, key=key)
    return StdioServerParameters(command=sys.executable, args=arguments, env=environment)


def stdio_command(tenant: Tenant, way_in: str, *, key: str | None = None) -> tuple[list[str], dict[str, str]]:
    """Returns the arguments of Python and the environment of `leadyard mcp`."""
    command = ["-m", "leadyard", "mcp"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LEADYARD_")}
    if way_in == STDIO_TO_SERVICE:
        return command, {**kept, "LEADYARD_URL": tenant.service.base_url, "LEADYARD_API_KEY": key or tenant.key}
    assert key is None, "the operator has no key"
    environment = {
        **kept,
        "LEADYARD_DATABASE_URL": tenant.service.database_url,
        "LEADYARD_SECRET_KEY": SECRET_KEY,
        "LEADYARD_WORKER_IN_SERVE": "on",
    }
    return [*command, "--account-group", tenant.account_group_id], environment
