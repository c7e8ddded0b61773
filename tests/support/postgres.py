"""A real PostgreSQL for tests: its own data folder, a socket, a port, gone at the end.

    with PostgresServer.start(find_postgres()) as server:
        url = server.create("a_name")            # or: server.create("b", template="a_name")
        ...
        server.drop("a_name")

It writes to the disk as a real one does (`fsync` on). Each xdist worker starts its own, on
first use. It ends with the worker, also when that is killed.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

USER = "postgres"
START_S_MAX = 60
STOP_S_MAX = 30


def find_postgres() -> Path | None:
    """Find the folder of the newest server's binaries, as Debian lays them out, or on PATH."""
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(installed, key=lambda path: int(path.parts[-3]), default=None)
    found = newest or shutil.which("initdb")
    return None if found is None or shutil.which("setpriv") is None else Path(found).parent


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server; databases are made and dropped by name."""

    binaries: Path
    folder: Path
    port: int
    password: str

    @classmethod
    @contextlib.contextmanager
    def start(cls, binaries: Path) -> Iterator[PostgresServer]:
        """Make a data folder and run a server on it until the block ends."""
        folder = Path(tempfile.mkdtemp(prefix="comity-pg-"))
        try:
            if os.geteuid() == 0:
                account = pwd.getpwnam(USER)
                os.chown(folder, account.pw_uid, account.pw_gid)
            server = cls(binaries, folder, _free_port(), secrets.token_hex(16))
            server.make_cluster()
            with server.running():
                yield server
        finally:
            shutil.rmtree(folder)

    def url(self, name: str) -> str:
        """Give the URL of a database, through the socket."""
        return f"postgresql://{USER}@/{name}?host={self.folder}&port={self.port}"

    def tcp_url(self, name: str, password: str | None = None) -> str:
        """Give the URL of a database through TCP, where a password is asked for."""
        return f"postgresql://{USER}:{password or self.password}@127.0.0.1:{self.port}/{name}"

    def create(self, name: str, template: str = "template0") -> str:
        """Make a database, and give its URL."""
        self.run_sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        self.run_sql(f'DROP DATABASE "{name}" WITH (FORCE)')

    def run_sql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement as the superuser, and give what it prints."""
        command = [str(self.binaries / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1"]
        where = ["-h", str(self.folder), "-p", str(self.port), "-U", USER, "-d", database]
        done = subprocess.run(
            [*command, *where, "-c", statement], check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def make_cluster(self) -> None:
        """Make the data folder; the socket is trusted, since its folder is private."""
        secret = self.folder / "password"
        secret.write_text(self.password)
        if os.geteuid() == 0:
            shutil.chown(secret, USER, USER)
        how = ["--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={secret}", "--no-sync"]
        what = ["-D", str(self.folder / "data"), "-U", USER, "-E", "UTF8", "--locale=C"]
        done = subprocess.run(
            [*_as_postgres(), str(self.binaries / "initdb"), *what, *how],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.folder,
        )
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)

    @contextlib.contextmanager
    def running(self, *options: str) -> Iterator[None]:
        """Run the server until the block ends; `options` are more settings, as `name=value`."""
        settings = [
            "listen_addresses=127.0.0.1",
            f"port={self.port}",
            f"unix_socket_directories={self.folder}",
            "fsync=on",
            "shared_buffers=32MB",
            "max_connections=60",
            *options,
        ]
        process = subprocess.Popen(
            [*_as_postgres(), str(self.binaries / "postgres"), "-D", str(self.folder / "data")]
            + [part for setting in settings for part in ("-c", setting)],
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
        )
        reader = _LogReader(process)
        try:
            reader.wait_until_ready()
            yield
        finally:
            process.send_signal(signal.SIGINT)  # "fast": end the sessions, write everything
            try:
                process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            reader.close()


class _LogReader:
    """Reads what the server says, so that it never waits, and notices when it is ready."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Start to read."""
        if process.stderr is None:
            raise RuntimeError("the server's log is not connected")
        self._log: IO[str] = process.stderr
        self._last: deque[str] = deque(maxlen=40)
        self._ready = False
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait_until_ready(self) -> None:
        """Return when the server takes connections; otherwise say what it said last."""
        self._changed.wait(START_S_MAX)
        if not self._ready:
            raise RuntimeError("PostgreSQL did not start:\n" + "".join(self._last))

    def close(self) -> None:
        """Read the rest, once the server has ended."""
        self._thread.join()
        self._log.close()

    def _read(self) -> None:
        for line in self._log:
            self._last.append(line)
            if "ready to accept connections" in line:
                self._ready = True
                self._changed.set()
        self._changed.set()


def _as_postgres() -> list[str]:
    """Begin a command that ends with its parent, and not as root, which the server refuses."""
    command = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() == 0:
        command += ["--reuid", USER, "--regid", USER, "--init-groups"]
    return command


def _free_port() -> int:
    """Find a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
