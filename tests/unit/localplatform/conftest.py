"""The parts of a platform without its server: database, store, and runs to put in."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from launchpad.bucket import signing
from launchpad.bucket.crc32c import crc32c_file
from launchpad.localplatform.applications.registry import APPLICATIONS, output_names
from launchpad.localplatform.callbacks import outbox
from launchpad.localplatform.database.engine import Database, now
from launchpad.localplatform.database.tables import InputRow, ItemRow, OutputRow, RunRow
from launchpad.localplatform.layout import Layout
from launchpad.localplatform.objectstore.storage import Keys, Storage, load_keys
from launchpad.localplatform.settings import PlatformSettings


@dataclass
class Parts:
    """A platform's parts in a folder of their own."""

    layout: Layout
    settings: PlatformSettings = field(default_factory=PlatformSettings)

    def __post_init__(self) -> None:
        self.layout.prepare()
        self.database = Database(self.layout.database)
        self.storage = Storage(self.layout.objects, self.database)
        self.keys: Keys = load_keys(self.database)

    def run(
        self,
        urls: list[str],
        *,
        user: str = "a",
        organization: str = "o",
        crc32c: str = "AAAAAA==",
        application: str = "test-app",
        context: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """A run with an item for each URL, as the API makes it."""
        run_id = str(uuid.uuid4())
        metadata = {
            "checksum_base64_crc32c": crc32c,
            "resolution_mpp": 0.499,
            "width_px": 512,
            "height_px": 512,
            "media_type": "image/tiff",
        }
        values: dict[str, Any] = {
            "id": run_id,
            "application_id": application,
            "version_number": APPLICATIONS[application].number,
            "state": "PENDING",
            "submitted_at": now(),
            "submitted_by": user,
            "organization_id": organization,
            "callback_context": context,
            "callback_url": outbox.address(context, self.settings),
        }
        with self.database.writing() as session:
            session.add(RunRow(**values | changes))
            session.flush()
            for position, url in enumerate(urls):
                item_id = str(uuid.uuid4())
                session.add(
                    ItemRow(
                        id=item_id,
                        run_id=run_id,
                        position=position,
                        external_id=f"{position}.svs",
                        state="PENDING",
                        attempts=0,
                    )
                )
                session.flush()
                session.add(
                    InputRow(
                        id=str(uuid.uuid4()), item_id=item_id, name="whole_slide_image", download_url=url, meta=metadata
                    )
                )
                session.add_all(
                    OutputRow(id=str(uuid.uuid4()), item_id=item_id, name=name, state="PENDING", output="NONE")
                    for name in output_names()
                )
        return run_id

    def reference(self, file: Path, key: str = "slide") -> str:
        """A signed URL of a file that is handed over by reference."""
        status = file.stat()
        self.storage.refer(
            self.keys.bucket,
            key,
            path=file,
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            inode=status.st_ino,
            crc32c=crc32c_file(file),
        )
        url = f"http://127.0.0.1:1/{self.keys.bucket}/{key}"
        return signing.presign("GET", url, self.keys.access_key, self.keys.secret_key, expires=3600)

    def get_run(self, run_id: str) -> RunRow:
        with self.database.reading() as session:
            row = session.get(RunRow, run_id)
            assert row is not None
            return row

    def items(self, run_id: str) -> list[ItemRow]:
        from sqlalchemy import select

        with self.database.reading() as session:
            return list(session.scalars(select(ItemRow).where(ItemRow.run_id == run_id).order_by(ItemRow.position)))

    def outputs(self, item_id: str) -> list[OutputRow]:
        from sqlalchemy import select

        with self.database.reading() as session:
            return list(session.scalars(select(OutputRow).where(OutputRow.item_id == item_id)))


@pytest.fixture
def parts(tmp_path: Path, data_dir: Path) -> Iterator[Parts]:
    made = Parts(Layout(tmp_path / "platform"))
    yield made
    made.database.close()
