"""Makes certificates for tests with the program openssl: a CA, and servers that it vouches for."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Authority:
    """A CA in a directory."""

    directory: Path

    @property
    def file(self) -> Path:
        """The certificate of the CA, which clients need."""
        return self.directory / "ca.crt"

    def create(self) -> Authority:
        self.directory.mkdir()
        self._openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Test CA"),
            *("-keyout", "ca.key", "-out", "ca.crt"),
        )
        return self

    def issue(self, host: str) -> tuple[Path, Path]:
        """Returns the files of a new certificate for a server of that name, and of its key."""
        self._openssl(
            *("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={host}"),
            *("-keyout", f"{host}.key", "-out", f"{host}.csr"),
        )
        extensions = self.directory / "extensions"
        extensions.write_text(f"subjectAltName=DNS:{host}\n")
        self._openssl(
            *("x509", "-req", "-in", f"{host}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"),
            *("-days", "2", "-out", f"{host}.crt", "-extfile", "extensions"),
        )
        return self.directory / f"{host}.crt", self.directory / f"{host}.key"

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.directory, check=True, capture_output=True)
