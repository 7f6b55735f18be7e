"""The text of the tester's report: plain HTML and CSS that asks for nothing outside itself."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from api.work.evaluate import ClipEvaluation, Slice
from api.work.evaluation_pictures import Shot
from rules.figures import Confusion, RuleScore, confusion, false_per_hour, figures
from rules.finding import Rule

STYLE = """
:root { color-scheme: light dark; --line: #8886; --bar: #3a7bd5; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0; }
caption { text-align: left; padding: .25rem 0; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
thead th { white-space: normal; vertical-align: bottom; }
th:first-child, .figures :is(th, td):nth-child(2) { text-align: left; }
.bar { display: inline-block; height: .8em; background: var(--bar); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)); gap: 1rem; }
article { border: 1px solid var(--line); border-radius: 6px; padding: .75rem; overflow-wrap: anywhere; }
article h3 { font-size: 1rem; margin: 0 0 .5rem; }
article img { width: 100%; height: auto; }
article p { margin: .35rem 0; }
.absent { border: 1px dashed var(--line); padding: 1rem; }
"""

COLUMNS = (
    ("found", "found"),
    ("missed", "missed"),
    ("false", "false"),
    ("allowed", "allowed"),
    ("held", "held"),
    ("of missed, held", "held_instead"),
    ("precision", "precision"),
    ("recall", "recall"),
    ("F1", "f1"),
    ("time error, median s", "median_error_s"),
    ("held rate", "held_rate"),
    ("plates exact", "plate_accuracy"),
    ("into red, median error s", "median_red_error_s"),
    ("truth inside bounds", "red_inside_share"),
    ("90 % of bounds within s", "red_width_90_s"),
)

BINS = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One miss or false alarm: what it is, the facts of it, what was said of it, and its picture."""

    kind: str
    rule: Rule
    clip: str
    t_s: float
    facts: tuple[str, ...]
    said: tuple[str, ...]
    shot: Shot


def page_text(
    clips: Sequence[ClipEvaluation], parts: Sequence[Slice], cards: Sequence[Card], truth: str
) -> str:
    """The whole page."""
    runs = ", ".join(dict.fromkeys(str(clip.run) for clip in clips))
    together = figures(clip.score for clip in clips)
    hourly = false_per_hour(together, sum(clip.video_s for clip in clips))
    seen_s = sum(clip.video_s for clip in clips)
    rows = [(clip.clip, part) for clip in clips for part in figures([clip.score])]
    rows += [("all clips", part) for part in together]
    body = [
        "<h1>Evaluation</h1>",
        f"<p>{escape(runs)} against {escape(truth)}: {seen_s:.1f} s of video, clips: {len(clips)}"
        + ("" if hourly is None else f", {hourly:.2f} false accusations per camera-hour")
        + ".</p>",
        "<p>Allowed events meet something that the truth calls optional: neither right nor wrong. Held events accuse "
        "nobody. – means that there is nothing to divide by.</p>",
        "<h2>By clip and rule</h2>",
        _figures_table("clip", rows),
        "<h2>By condition, camera and lane</h2>",
        _figures_table("part", [(f"{one.kind} {one.value}", part) for one in parts for part in one.rules]),
        "<h2>What was taken for what</h2>",
        _confusion_table(confusion(clip.score for clip in clips)),
        "<h2>Time errors</h2>",
        *(_histograms(together)),
        *_cards("Missed", [card for card in cards if card.kind == "missed"]),
        *_cards("False alarms", [card for card in cards if card.kind != "missed"]),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Stopline: evaluation</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _figures_table(first: str, rows: Iterable[tuple[str, RuleScore]]) -> str:
    lines = [
        [name, part.rule.value, *(_value(getattr(part, column)) for _, column in COLUMNS)]
        for name, part in rows
    ]
    return _table([first, "rule", *(heading for heading, _ in COLUMNS)], lines, "figures")


def _value(value: int | float | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def _confusion_table(cells: Sequence[Confusion]) -> str:
    rules = [rule for rule in Rule if any(rule in (cell.truth, cell.said) for cell in cells)]
    counts = {(cell.truth, cell.said): cell.count for cell in cells}
    sides: list[Rule | None] = [*rules, None]
    lines = [
        [
            "nothing" if truth is None else truth.value,
            *("" if truth is said is None else str(counts.get((truth, said), 0)) for said in sides),
        ]
        for truth in sides
    ]
    headings = ["truth \\ said", *("nothing" if said is None else said.value for said in sides)]
    return _table(headings, lines)


def _histograms(parts: Iterable[RuleScore]) -> list[str]:
    found = []
    for part in parts:
        for name, errors_s in (("event", part.errors_s), ("time into red", part.red_errors_s)):
            if errors_s:
                found.append(_histogram(f"{part.rule.value}: {name} minus truth", errors_s))
    return found or ["<p>No event met a truth.</p>"]


def _histogram(title: str, errors_s: Sequence[float]) -> str:
    """Bins of equal width around 0; bars are drawn beside their counts."""
    reach_s = max(0.05, *(abs(error_s) for error_s in errors_s))
    width_s = 2.0 * reach_s / BINS
    counts = [0] * BINS
    for error_s in errors_s:
        counts[min(BINS - 1, int((error_s + reach_s) / width_s))] += 1
    most = max(counts)
    rows = "".join(
        f'<tr><th scope="row">{-reach_s + n * width_s:+.3f} … {-reach_s + (n + 1) * width_s:+.3f} s</th><td>{count}</td>'
        f'<td><span class="bar" style="width: {12.0 * count / most:.2f}rem"></span></td></tr>'
        for n, count in enumerate(counts)
    )
    return f"<table><caption>{escape(title)}</caption>{rows}</table>"


def _table(headings: Sequence[str], lines: Sequence[Sequence[str]], name: str = "") -> str:
    if not lines:
        return "<p>Nothing of this kind.</p>"
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    rows = "".join(
        f'<tr><th scope="row">{escape(line[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in line[1:])
        + "</tr>"
        for line in lines
    )
    return f'<div class="wide"><table class="{name}"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cards(title: str, cards: Sequence[Card]) -> list[str]:
    inside = "".join(map(_card, cards)) or "<p>None.</p>"
    return [f'<h2>{title} ({len(cards)})</h2>\n<div class="cards">{inside}</div>']


def _card(card: Card) -> str:
    title = f"{card.rule.value}, {card.clip}, {card.t_s:.2f} s"
    lines = [f"<h3>{escape(title)}</h3>", _picture(card)]
    lines.append(f"<p>{escape(' · '.join(card.facts))}</p>")
    lines += [f"<p>{escape(sentence)}</p>" for sentence in card.said]
    return f"<article>{''.join(lines)}</article>\n"


def _picture(card: Card) -> str:
    shot = card.shot
    if shot.jpeg is None or shot.media_s is None:
        return f'<p class="absent">No picture: {escape(shot.why_not or "")}</p>'
    alt = f"{card.clip} at {shot.media_s:.3f} s. {shot.says}"
    data = b64encode(shot.jpeg).decode()
    return (
        f'<img alt="{escape(alt, quote=True)}" src="data:image/jpeg;base64,{data}">'
        f"<p>Frame at {shot.media_s:.3f} s. {escape(shot.says)}</p>"
    )
