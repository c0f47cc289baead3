"""Caddy with the configuration that we ship, `deploy/Caddyfile`, in front of a service."""

from __future__ import annotations

import os
from pathlib import Path

from rig.pgbouncer import SEARCHED
from rig.proxy_process import ProxyProcess

_SHIPPED = Path(__file__).parents[1] / "deploy" / "Caddyfile"


class Caddy(ProxyProcess):
    """It has its own certificate, and lets the running requests end before it stops. `idle_s` is how long it keeps an
    idle connection to the service."""

    def __init__(self, folder: Path, *, service_port: int, idle_s: int) -> None:
        super().__init__(folder)
        self._configuration = folder / "Caddyfile"
        self._configuration.write_text(self._adapted(service_port, idle_s))

    @property
    def base_url(self) -> str:
        return f"https://localhost:{self.port}"

    def command(self) -> tuple[list[str], dict[str, str]]:
        environment = {**os.environ, "PATH": SEARCHED, "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)}
        return ["caddy", "run", "--config", str(self._configuration), "--adapter", "caddyfile"], environment

    def _adapted(self, service_port: int, idle_s: int) -> str:
        """Returns the shipped configuration with another name, other ports and a shorter idle time."""
        text = _SHIPPED.read_text()
        for old, new in {
            "{\n\tservers {": "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n\tservers {",
            "leads.example.com {": f"{self.base_url} {{\n\ttls internal",
            "127.0.0.1:8001 127.0.0.1:8002": f"127.0.0.1:{service_port}",
            "keepalive 60s": f"keepalive {idle_s}s",
        }.items():
            assert old in text, old
            text = text.replace(old, new)
        return text
