"""Finds the word that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` for the closest known word, or an empty string where none is close.

    Case is ignored in the comparison, the known word is given as it is spelled, and a longer word that begins
    with a known one ('saturday' for 'sat') counts as close.
    """
    spelled = {name.lower(): name for name in sorted(known, reverse=True)}
    close = get_close_matches(word.lower(), list(spelled), n=1, cutoff=0.6) or [
        name for name in spelled if len(name) > 2 and word.lower().startswith(name)
    ]
    return f"; did you mean {spelled[close[0]]!r}?" if close else ""
