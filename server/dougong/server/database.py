"""The SQLite database: connections, durability, transactions. Its tables are in `schema`.

All writing is done by one thread, one transaction after the other, each on disk before its caller goes on; reading by
another, which in WAL mode does not wait for a slow disk. Nothing here runs on the event loop.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from dougong.messages import ResourceLimit
from dougong.server.schema import MIGRATIONS
from dougong.server.starting import StartError

T = TypeVar("T")


class Database:
    """An open database.

    Parameters
    ----------
    path
        The file; made when missing.

    Raises
    ------
    StartError
        It was written by a newer version, or cannot be made durable.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="database-write")
        self._read_thread = ThreadPoolExecutor(1, thread_name_prefix="database-read")
        self._writer = self._connect()
        _migrate(self._writer)
        self._reader = self._connect()
        self._reader.execute("PRAGMA query_only = 1")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
        connection.row_factory = sqlite3.Row
        # SQLite itself folds ASCII only.
        connection.create_function("casefold", 1, str.casefold, deterministic=True)
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = 1")
        # Some builds of SQLite come with other defaults, or without WAL: read back what really holds.
        level = connection.execute("PRAGMA synchronous").fetchone()[0]
        if mode != "wal" or level != 2:
            connection.close()
            raise StartError("DATABASE_NOT_DURABLE", mode=mode, level=level)
        return connection

    async def write(self, transaction: Callable[[sqlite3.Connection], T]) -> T:
        """Run a transaction; when this returns, it is on disk.

        Raises
        ------
        ResourceLimit
            The disk is full; nothing was changed.
        """
        return await asyncio.get_running_loop().run_in_executor(self._write_thread, self._transact, transaction)

    def _transact(self, transaction: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._writer
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = transaction(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
                raise ResourceLimit("DISK_FULL", detail=str(error)) from error
            raise
        return result

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query that changes nothing."""
        return await asyncio.get_running_loop().run_in_executor(self._read_thread, query, self._reader)

    def close(self) -> None:
        """Wait for what has begun, then close."""
        self._read_thread.shutdown()
        self._write_thread.shutdown()
        self._reader.close()
        self._writer.close()


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables to the newest version, each step in a transaction of its own."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise StartError("DATABASE_NEWER", found=version, known=len(MIGRATIONS))
    for number in range(version, len(MIGRATIONS)):
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{MIGRATIONS[number]}\nPRAGMA user_version = {number + 1};\nCOMMIT;"
        )
