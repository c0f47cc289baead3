"""An nginx before a service, with its own configuration and folder, that a test starts, restarts and stops."""

from __future__ import annotations

import os
from pathlib import Path

from rig.proxy_process import ProxyProcess

# As in deploy/nginx.conf, without TLS, with one process of the service and one idle time.
_CONFIGURATION = """
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream leadyard {{
        server 127.0.0.1:{service_port};
        keepalive 32;
        keepalive_timeout {idle_s}s;
    }}
    server {{
        listen 127.0.0.1:{port};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_next_upstream error timeout;
        client_max_body_size 1m;
        location / {{ proxy_pass http://leadyard; }}
        location ~ ^/v1/accounts/[0-9a-f]+/uploads {{
            client_max_body_size 1g;
            proxy_request_buffering off;
            proxy_pass http://leadyard;
        }}
    }}
}}
"""


class Nginx(ProxyProcess):
    """`idle_s` is how long it keeps an idle connection to the service. It stops with its connections open."""

    def __init__(self, folder: Path, *, service_port: int, idle_s: int) -> None:
        super().__init__(folder)
        self._configuration = folder / "nginx.conf"
        self._configuration.write_text(
            _CONFIGURATION.format(
                folder=folder,
                service_port=service_port,
                port=self.port,
                idle_s=idle_s,
                # As root, nginx would work as another user, who may not write to the folder of a test.
                user="user root;" if os.geteuid() == 0 else "",
            )
        )

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> tuple[list[str], None]:
        return ["nginx", "-c", str(self._configuration), "-p", str(self.folder), "-g", "daemon off;"], None
