"""Content credentials: put into copies of a photo and a clip, verified offline, and every tampering found."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from api.cli.exit_codes import ExitCode
from evidence.canonical import sha256_hex
from evidence.clip import cut, mux
from evidence.credentials import (
    Credentials,
    CredentialsError,
    CredentialSigner,
    verify_credentials,
    with_credentials,
)
from ingest.packet_ring import PacketRing
from tests.api.cli.conftest import Stopline, stopline
from tests.builders.certificates import signer_of
from tests.builders.filmed import frames_of
from tests.builders.sealed import a_sealed_folder

pytest.importorskip("c2pa", reason="needs the extra [c2pa]")
__all__ = ["stopline"]


@pytest.fixture(scope="module")
def files(film: Path) -> dict[str, bytes]:
    """A photo and a clip."""
    picture = np.random.default_rng(1).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    _, jpeg = cv2.imencode(".jpg", picture)
    ring = PacketRing(hold_s=1000.0)
    for _ in frames_of(film, ring):
        pass
    return {"scene-1.jpg": jpeg.tobytes(), "clip.mp4": mux(ring.parameters, [cut(ring, "event", 4.0, 8.0)])}


@pytest.mark.parametrize("name", ["scene-1.jpg", "clip.mp4"])
@pytest.mark.parametrize("kind", ["ES256", "ED25519"])
def test_a_copy_says_whose_it_is_and_of_which_case(files: dict[str, bytes], name: str, kind: str) -> None:
    key = ed25519.Ed25519PrivateKey.generate() if kind == "ED25519" else None
    signer, root = signer_of("Office", key)
    data = files[name]
    copy = with_credentials(name, data, "case-1", sha256_hex(data), signer)
    assert copy != data
    said = verify_credentials(name, copy, root)
    assert said == Credentials(case_id="case-1", original_sha256=sha256_hex(data), signer=said.signer)
    assert "Office" in said.signer


@pytest.mark.parametrize("name", ["scene-1.jpg", "clip.mp4"])
def test_a_changed_copy_does_not_verify(files: dict[str, bytes], name: str) -> None:
    signer, root = signer_of("Office")
    data = files[name]
    copy = with_credentials(name, data, "case-1", sha256_hex(data), signer)
    for place in (len(copy) - 300, len(copy) - 1500, copy.find(b"case-1") + 5):
        changed = copy[:place] + bytes([copy[place] ^ 1]) + copy[place + 1 :]
        with pytest.raises(CredentialsError) as caught:
            verify_credentials(name, changed, root)
        assert not caught.value.is_unknown


def test_a_signer_below_another_root_is_unknown(files: dict[str, bytes]) -> None:
    signer, _ = signer_of("Office")
    _, other = signer_of("Somebody")
    copy = with_credentials("scene-1.jpg", files["scene-1.jpg"], "case-1", "ab" * 32, signer)
    with pytest.raises(CredentialsError, match="nobody whose certificates were given signed it") as caught:
        verify_credentials("scene-1.jpg", copy, other)
    assert caught.value.is_unknown


def test_what_cannot_be_signed_or_read_says_why(files: dict[str, bytes]) -> None:
    signer, root = signer_of("Office")
    other, _ = signer_of("Other")
    big, _ = signer_of("Big", ec.generate_private_key(ec.SECP384R1()))
    photo = files["scene-1.jpg"]
    mixed = CredentialSigner(chain=signer.chain, key=other.key)
    for bad, says in (
        (mixed, "not that of the first certificate"),
        (CredentialSigner(chain=b"no", key=signer.key), "give both in PEM"),
        (big, "EC P-256 or Ed25519 are wanted"),
    ):
        with pytest.raises(CredentialsError, match=says):
            with_credentials("scene-1.jpg", photo, "case-1", "ab" * 32, bad)
    with pytest.raises(CredentialsError, match="go into JPEG and MP4"):
        with_credentials("trace.json", b"{}", "case-1", "ab" * 32, signer)
    with pytest.raises(CredentialsError, match="no credentials"):
        with_credentials("scene-1.jpg", b"no picture", "case-1", "ab" * 32, signer)
    with pytest.raises(CredentialsError, match="has no credentials that can be read"):
        verify_credentials("scene-1.jpg", photo, root)


def test_the_command_makes_copies_that_verify_checks(
    stopline: Stopline, files: dict[str, bytes], tmp_path: Path
) -> None:
    data = a_sealed_folder(tmp_path / "data", files=files)
    signer, root = signer_of("Office")
    chain, key, roots = tmp_path / "chain.pem", tmp_path / "key.pem", tmp_path / "root.pem"
    chain.write_bytes(signer.chain)
    key.write_bytes(signer.key)
    roots.write_bytes(root)
    make = ("evidence", "credentials", "case-1", "--data", data, "--certificates", chain, "--key", key)
    key.chmod(0o644)
    exposed = stopline(*make)
    assert exposed.code == int(ExitCode.CONFIG_INVALID)
    assert "others may read or change this private key" in exposed.err
    key.chmod(0o600)
    ran = stopline(*make)
    assert (ran.code, ran.out) == (0, "made clip.c2pa.mp4\nmade scene-1.c2pa.jpg\n")
    assert stopline(*make).code != 0, "they are there already"
    assert stopline(*make, "--again").code == 0
    package = data / "evidence" / "case-1"
    ran = stopline("evidence", "verify", package, "--authority", roots)
    said = "ok      derived/scene-1.c2pa.jpg (credentials): signed by"
    assert said in ran.out
    assert sha256_hex(files["scene-1.jpg"]) in ran.out
    assert "note    derived/clip.c2pa.mp4 (credentials): whose" in stopline("evidence", "verify", package).out
    _, other = signer_of("Somebody")
    roots.write_bytes(other)
    ran = stopline("evidence", "verify", package, "--authority", roots)
    assert "unknown derived/clip.c2pa.mp4 (credentials)" in ran.out
