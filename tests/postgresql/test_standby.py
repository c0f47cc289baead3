"""A URL that names a standby: what reads works, what writes names the standby."""

from __future__ import annotations

import asyncio
import json

import pytest

from leadyard.store import schema
from rig.racing import on_postgresql_only, wait_until
from rig.service import leadyard, run_sql
from rig.tcp_postgres import Standby, TcpPostgres
from tests.postgresql.conftest import REPLICATING

pytestmark = [on_postgresql_only, pytest.mark.timeout(240)]


def test_commands_on_a_standby(server: TcpPostgres) -> None:
    primary = server.create_database("leadyard")
    with Standby(server) as standby:
        wait_until(lambda: run_sql(server.url, REPLICATING), "the standby follows the primary")
        url = standby.url_of("leadyard")

        # Not migrated yet: the advice is not to migrate the standby.
        for arguments in (["serve", "--port", "0"], ["doctor"]):
            done = leadyard(*arguments, url=url)
            assert (done.returncode, done.stdout) == (1, "")
            assert "Run 'leadyard migrate' on the primary: this server is a standby." in done.stderr
        done = leadyard("migrate", url=url)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.splitlines()[0] == "The database is read-only."
        assert "it is a standby. Name the primary" in done.stderr

        asyncio.run(schema.migrate(primary))
        wait_until(lambda: asyncio.run(schema.current_revision(url)), "the standby has the schema")
        assert "current" in leadyard("migrate", url=url).stdout
        for arguments in (["serve", "--port", "0"], ["worker"]):
            done = leadyard(*arguments, url=url)
            assert (done.returncode, done.stdout) == (1, "")
            assert "read-only: it is a standby" in done.stderr
            assert "target_session_attrs=read-write" in done.stderr
        done = leadyard("doctor", url=url)
        assert done.returncode == 0, done.stderr
        assert "a standby" in done.stdout
        report = json.loads(leadyard("doctor", "--json", url=url).stdout)
        assert report["server"]["isStandby"] is True
        assert json.loads(leadyard("doctor", "--json", url=primary).stdout)["server"]["isStandby"] is False
        assert leadyard("account-groups", "list", url=url).returncode == 0

        done = leadyard("account-groups", "create", "X", url=url)
        assert (done.returncode, done.stdout) == (1, "")
        assert "The database is read-only." in done.stderr
        assert "If it is a standby, name the primary" in done.stderr
        standby.promote()
        assert leadyard("account-groups", "create", "X", url=url).returncode == 0
