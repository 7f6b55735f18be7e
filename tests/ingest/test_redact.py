"""No account, password or token of a camera's address survives, in the address or in what quotes it."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.redact import RedactedCause, redact_text, redact_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("rtsp://cam.example/1", "rtsp://cam.example/1"),
        ("rtsp://admin:geheim@cam.example:554/h264", "rtsp://***@cam.example:554/h264"),
        ("RTSPS://admin@cam.example/h264", "RTSPS://***@cam.example/h264"),
        ("rtsp://admin:p@ss:w/o?rd@10.0.0.7/s", "rtsp://***@10.0.0.7/s"),
        ("rtsp://cam/s?channel=1&password=geheim&x=2", "rtsp://cam/s?channel=1&password=***&x=2"),
        (
            "rtsp://cam/user=admin_password=tl_J8_channel=1_stream=0.sdp",
            "rtsp://cam/user=admin_password=***_channel=1_stream=0.sdp",
        ),
        ("rtsp://cam/s?token=abc/def", "rtsp://cam/s?token=***/def"),
        ("rtsp://[::1]:8554/camera", "rtsp://[::1]:8554/camera"),
    ],
)
def test_address(url: str, expected: str) -> None:
    assert redact_url(url) == expected


def test_a_text_that_quotes_the_address_or_only_its_password() -> None:
    url = "rtsp://admin:p%40ss@10.0.0.7/s"
    text = f"401 for '{url}': user admin with p@ss or p%40ss refused"
    redacted = redact_text(text, url)
    assert "p@ss" not in redacted
    assert "p%40ss" not in redacted
    assert "10.0.0.7/s" in redacted


def test_the_cause_of_an_error_keeps_its_kind_and_loses_the_secret() -> None:
    cause = RedactedCause(OSError("cannot open rtsp://u:geheim@h/s"), "rtsp://u:geheim@h/s")
    assert str(cause) == "OSError: cannot open rtsp://***@h/s"


@given(
    st.text("abcXYZ0189!$%&'()*+,;=:@/?#[]~._-ü路", min_size=4, max_size=20),
    st.sampled_from(["rtsp://{}@cam/s", "failed: 'rtsp://{}@cam/s' (401)", "{} is wrong"]),
)
def test_no_password_survives(password: str, form: str) -> None:
    written = quote(password, safe="")
    url = f"rtsp://operator:{written}@cam/s"
    for spelling in (password, written):
        text = form.format(f"operator:{spelling}" if "@cam" in form else spelling)
        redacted = redact_text(text, url)
        assert password not in redacted
        assert written not in redacted
