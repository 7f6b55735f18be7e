"""Writes ``refused.sha256`` anew from the shared material: ``python -m models.training.refuse``."""

from __future__ import annotations

import hashlib

from models.training.data import CHECKOUT, REFUSED, kept_for_measuring

if __name__ == "__main__":
    shared = CHECKOUT.parent / "shared"
    lines = {
        f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.relative_to(shared).parent.as_posix()}\n"
        for path in kept_for_measuring(shared)
    }
    REFUSED.write_text("".join(sorted(lines, key=lambda line: line.split()[::-1])), encoding="utf-8")
