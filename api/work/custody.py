"""Who signs the evidence of a run: the installation's key, or a demo key that the data folder gets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from api.settings import Settings
from evidence.chain import Checkpoint
from evidence.chain_file import FOLDER
from evidence.custody import Custody
from evidence.durable import Disk
from evidence.keys import KeyFolder, demo_signer
from evidence.records import Records
from evidence.signing import Signer

DEMO_KEY = "demo-key.pem"


def signer_of(settings: Settings, now: datetime) -> Signer | None:
    """What signs in this installation; None where no key folder is set. Raises KeysError, ConfigInvalidError."""
    if settings.keys is None:
        return None
    return KeyFolder(settings.keys, Disk()).signer(now, settings.passphrase())


def signer_or_demo(data_dir: Path, signer: Signer | None) -> Signer:
    """The installation's signer; without one the demo key of the data folder, which is made on first use. Raises KeysError."""
    return demo_signer(data_dir / FOLDER / DEMO_KEY) if signer is None else signer


def open_custody(
    data_dir: Path,
    records: Records,
    signer: Signer | None,
    now: Callable[[], datetime],
    disk: Disk | None = None,
) -> Custody:
    """Custody of the data folder; without a signer its demo key signs. Raises KeysError."""
    return Custody(data_dir, records, signer_or_demo(data_dir, signer), now, disk)


def custody_fields(checkpoint: Checkpoint, *, is_demo: bool) -> dict[str, Any]:
    """What ``summary.json`` says of the chain at the end of a run; ``note`` is a sentence where a demo key signed."""
    key = checkpoint.signed.signature.key
    return {
        "chain": checkpoint.chain_id,
        "links": checkpoint.count,
        "head_sha256": checkpoint.head_sha256,
        "key": key.id,
        "demo_key": is_demo,
        "note": f"the evidence is signed with a demo key ({key.id}) that was made for this folder and lies in it, so to "
        "whoever verifies it its signer is unknown; make a key with 'stopline keys generate' and set STOPLINE_KEYS"
        if is_demo
        else None,
    }
