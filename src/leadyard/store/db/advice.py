"""Explains to the operator why PostgreSQL cannot be used: a sentence with the reason, and one with the remedy."""

from __future__ import annotations

import ssl
from pathlib import Path

import asyncpg

from leadyard.postgresql_url import PostgresqlUrl, parse_postgresql_url
from leadyard.store.db.connecting import NoUsableHost, sentence_of

_SETTING = "LEADYARD_DATABASE_URL"
_IS_IT_RUNNING = f"Check {_SETTING} and that the database is running and accepts connections."
_NAME_THE_CA = "Set sslrootcert to the file of the CA that signed the certificate of the server."
_TLS_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
# The code of an error, or its class (two characters) → the remedy.
_BY_CODE = {
    "3D000": f"Create it with createdb, or use another one in {_SETTING}.",
    "28": f"Check the user and the password in {_SETTING}.",
    "53300": "Raise max_connections, or the CONNECTION LIMIT of the role or the database; or lower "
    "LEADYARD_DATABASE_POOL_SIZE and the number of processes.",
    "57P03": "Wait until the server has started, or name another host as well.",
    "3F000": "The search_path of the role names no schema that exists: ALTER ROLE … SET search_path = …",
    "42501": "The role must own the tables. Restore or migrate as this role, or let a superuser run REASSIGN OWNED.",
}
# Words in the sentence of a refusal → the remedy. Looked up before the codes, which are less exact.
_BY_WORDS = {
    "no encryption": f"The server requires TLS for this client. Set sslmode=require or verify-full in {_SETTING}.",
    "no pg_hba.conf entry": "Add this client, user and database to pg_hba.conf of the server, and reload it.",
    "permission denied for database": "GRANT CONNECT ON DATABASE … TO the role.",
    "permission denied for schema": "GRANT USAGE, CREATE ON SCHEMA … TO the role.",
    "mismatch, certificate is not valid": f"Write the host in {_SETTING} as the certificate of the server does. "
    "sslmode=verify-ca does not compare the name.",
    "unable to get local issuer certificate": _NAME_THE_CA,
    "self-signed certificate": _NAME_THE_CA,
    "rejected SSL upgrade": f"The server has no TLS. Switch it on (ssl = on), or remove sslmode from {_SETTING}.",
    "unsupported startup parameter": "A pooler is between Leadyard and PostgreSQL: set "
    "LEADYARD_DATABASE_POOLER=transaction.",
    "max_client_conn": "Raise max_client_conn of PgBouncer, or lower LEADYARD_DATABASE_POOL_SIZE and the number of "
    "processes.",
    "query_wait_timeout": "Raise default_pool_size of PgBouncer: no connection to PostgreSQL was free in time.",
    "root certificate file": f"Set sslrootcert in {_SETTING} to the file of the CA.",
}


def explain(error: BaseException, url: str) -> tuple[str, str]:
    """Returns the reason and the remedy for a connection to `url` that failed, or for a query that was refused. Neither
    contains a password."""
    said = _unusable_file(error, url) or sentence_of(error)
    if isinstance(error, NoUsableHost):
        return said, _is_any_host_usable(parse_postgresql_url(url))
    reason = f"PostgreSQL reports: {said}" if isinstance(error, asyncpg.PostgresError) else said
    if isinstance(error, asyncpg.InterfaceError):
        # A wrong parameter of the URL. Scheme and port, whose messages quote more, were checked before.
        reason = f"{_SETTING} cannot be used: {said}"
    return reason, _remedy(said, getattr(error, "sqlstate", None) or "")


def _remedy(said: str, code: str) -> str:
    for words, remedy in _BY_WORDS.items():
        if words in said:
            return remedy
    if said.startswith(tuple(f"{name}=" for name in _TLS_FILES)):
        return f"Correct it in {_SETTING}, or put the file there."
    return _BY_CODE.get(code) or _BY_CODE.get(code[:2]) or _IS_IT_RUNNING


def _is_any_host_usable(parsed: PostgresqlUrl) -> str:
    if parsed.target in (None, "any"):
        return _IS_IT_RUNNING
    return (
        f"{_SETTING} requires target_session_attrs={parsed.target}. "
        "If a failover is in progress, wait until a standby is promoted."
    )


def _unusable_file(error: BaseException, url: str) -> str | None:
    """Returns the reason why one of the TLS files cannot be used. The driver does not name the file."""
    if isinstance(error, ssl.SSLCertVerificationError) or not isinstance(error, OSError):
        return None
    parameters = parse_postgresql_url(url).parameters
    for name in _TLS_FILES:
        path = parameters.get(name)
        if path is not None and (reason := _why_unusable(name, path)):
            return f"{name}={path}: {reason}"
    return None


def _why_unusable(name: str, path: str) -> str | None:
    try:
        with Path(path).open("rb"):
            pass
        if name in ("sslrootcert", "sslcrl"):
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        return "the file contains no certificate"
    except OSError as error:
        return error.strerror or str(error)
    return None
