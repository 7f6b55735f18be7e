// The time-space diagram of a drive over a stop line: distance against time over what the signal showed.

import { chart, ticks } from "./chart.js";
import { h, s } from "./dom.js";
import { number } from "./format.js";
import { label, t } from "./strings.js";

const GAP_S = 0.5;
const STRIP = 20;
const ONSET_WITHIN_S = 8;

/** The diagram with legend, readout and table. onSeek is given media seconds. Returns {element, setPlayhead}. */
export function lineDiagram(trace, eventS, onSeek) {
  const points = trace.trace.filter((point) => point.leading_m !== null || point.trailing_m !== null);
  const heads = headsOf(trace.signal);
  const onset = redOnset(trace, eventS);
  const domain = domainOf(points, trace, onset, eventS);
  const readout = h("p", { class: "readout" });
  const drawn = chart({
    domain,
    zero: eventS,
    height: 270 + STRIP * Math.max(heads.length, 1),
    margin: { left: 44, right: 14, top: 4, bottom: 40 },
    axisTitle: t("diagram.x"),
    summary: summaryOf(trace, onset, eventS),
    onSeek,
    draw: (plot) => draw(plot, { points, heads, onset, trace, domain }),
  });
  const read = (at) => fillReadout(readout, at, { points, heads, eventS });
  read(eventS);
  return {
    element: h("div", { class: "diagram" }, drawn.element, readout, legend(points), table(points, heads, eventS)),
    setPlayhead(at) {
      drawn.setPlayhead(at);
      read(at);
    },
  };
}

function headsOf(spans) {
  const heads = new Map();
  for (const span of spans) {
    if (!heads.has(span.head_id)) heads.set(span.head_id, []);
    heads.get(span.head_id).push(span);
  }
  return [...heads].map(([id, own]) => ({ id, spans: own.toSorted((a, b) => a.from_s - b.from_s) }));
}

/** When the last of the heads turned red before the event: [earliest, latest], or null where none was seen to. */
function redOnset(trace, eventS) {
  const current = trace.signal.filter((span) => span.state === "red" && span.from_s <= eventS && span.to_s >= eventS - GAP_S);
  const onsets = current.map((span) => span.onset_s).filter(Boolean);
  if (!onsets.length || onsets.length < current.length) return null;
  return onsets.reduce((last, own) => (own[1] > last[1] ? own : last));
}

function domainOf(points, trace, onset, eventS) {
  const times = points.map((point) => point.media_s);
  const moments = [...times, ...trace.photos.map((photo) => photo.media_s), ...(trace.crossing_s ?? []), eventS];
  if (onset && eventS - onset[0] < ONSET_WITHIN_S) moments.push(onset[0]);
  return [Math.min(...moments) - 0.4, Math.max(...moments) + 0.4];
}

function draw(plot, { points, heads, onset, trace, domain }) {
  const top = plot.top + STRIP * heads.length;
  const metres = points.flatMap((point) => [point.leading_m, point.trailing_m]).filter((value) => value !== null);
  const low = Math.min(-1, ...metres);
  const high = Math.max(1, ...metres);
  const pad = (high - low) * 0.06;
  const y = (m) => plot.bottom - ((m - low + pad) / (high - low + 2 * pad)) * (plot.bottom - top);
  const inside = { ...plot, top };
  return [
    strips(plot, heads, domain),
    heads.length === 1 ? heads[0].spans.map((span) => background(inside, span, domain)) : [],
    yAxis(inside, y, low - pad, high + pad),
    gaps(inside, points),
    crossing(inside, trace.crossing_s),
    onsetMark(inside, onset, trace.finding.grace_s ?? null, domain),
    curve(plot, y, points, "trailing_m", "trailing"),
    curve(plot, y, points, "leading_m", "leading"),
    photoPins(inside, y, trace.photos, points),
  ];
}

function clipped(span, domain) {
  const from = Math.max(span.from_s, domain[0]);
  const to = Math.min(span.to_s, domain[1]);
  return to > from ? [from, to] : null;
}

function strips(plot, heads, domain) {
  return heads.map((head, row) => {
    const y = plot.top + row * STRIP;
    return s(
      "g",
      { class: "strip" },
      s("title", {}, head.id),
      head.spans.map((span) => {
        const part = clipped(span, domain);
        if (!part) return null;
        const [x1, x2] = part.map(plot.x);
        const box = { x: x1, y, width: x2 - x1, height: STRIP - 3 };
        return [
          s("rect", { class: `signal ${span.state}`, ...box }),
          s("rect", { fill: plot.hatch(span.state), ...box }),
          x2 - x1 > 16
            ? s("text", { class: `letter ${span.state}`, x: x1 + 6, y: y + 13 }, label("signal.letter", span.state))
            : null,
        ];
      }),
      heads.length > 1 ? s("text", { class: "strip-name", x: plot.left - 6, y: y + 13, "text-anchor": "end" }, head.id.slice(-5)) : null,
    );
  });
}

function background(plot, span, domain) {
  const part = clipped(span, domain);
  if (!part) return null;
  const [x1, x2] = part.map(plot.x);
  return s("rect", { class: `signal-ground ${span.state}`, x: x1, y: plot.top, width: x2 - x1, height: plot.bottom - plot.top });
}

function yAxis(plot, y, low, high) {
  const { values, digits } = ticks(low, high, 6);
  return s(
    "g",
    { class: "axis" },
    values.map((value) => [
      s("line", { class: Math.abs(value) < 1e-9 ? "stop-line" : "grid", x1: plot.left, x2: plot.right, y1: y(value), y2: y(value) }),
      s("text", { x: plot.left - 6, y: y(value) + 4, "text-anchor": "end" }, number(value, digits, { sign: true })),
    ]),
    s("text", { class: "stop-line-name", x: plot.right - 4, y: y(0) - 6, "text-anchor": "end" }, t("diagram.line")),
    s("text", { class: "axis-title", x: plot.left, y: plot.bottom + 31 }, t("diagram.y")),
  );
}

function gaps(plot, points) {
  return stretches(points).slice(1).map((stretch, i) => {
    const before = stretches(points)[i].at(-1).media_s;
    return unseenBand(plot, before, stretch[0].media_s);
  });
}

function unseenBand(plot, from, to) {
  const box = { x: plot.x(from), y: plot.top, width: plot.x(to) - plot.x(from), height: plot.bottom - plot.top };
  return s("rect", { class: "unseen-band", fill: plot.hatch("unseen"), ...box }, s("title", {}, t("diagram.unseen")));
}

function crossing(plot, interval) {
  if (!interval) return null;
  const [x1, x2] = interval.map(plot.x);
  return s(
    "g",
    { class: "crossing" },
    s("rect", { x: x1, y: plot.top, width: Math.max(x2 - x1, 2), height: plot.bottom - plot.top }),
    s("text", { x: Math.max(x2, x1 + 2) + 5, y: plot.top + 42 }, t("diagram.crossing")),
  );
}

function onsetMark(plot, onset, graceS, domain) {
  if (!onset || onset[1] < domain[0]) return null;
  const [x1, x2] = onset.map((at) => plot.x(Math.max(at, domain[0])));
  const mark = (kind, x, text, y) => [
    s("line", { class: kind, x1: x, x2: x, y1: plot.top, y2: plot.bottom }),
    s("text", { class: `${kind}-name`, x: x + 5, y }, text),
  ];
  return s(
    "g",
    {},
    s("rect", { class: "onset-band", x: x1, y: plot.top, width: Math.max(x2 - x1, 1), height: plot.bottom - plot.top }),
    mark("onset", x2, t("diagram.onset"), plot.top + 14),
    graceS === null ? null : mark("grace", plot.x(onset[1] + graceS), t("diagram.grace"), plot.top + 28),
  );
}

/** The points in runs without a gap. */
function stretches(points) {
  const runs = [];
  for (const point of points) {
    const run = runs.at(-1);
    if (run && point.media_s - run.at(-1).media_s <= GAP_S) run.push(point);
    else runs.push([point]);
  }
  return runs;
}

function curve(plot, y, points, field, kind) {
  return stretches(points.filter((point) => point[field] !== null)).map((run) =>
    run.length > 1
      ? s("polyline", { class: `curve ${kind}`, points: run.map((point) => `${plot.x(point.media_s)},${y(point[field])}`).join(" ") })
      : s("circle", { class: `curve-dot ${kind}`, cx: plot.x(run[0].media_s), cy: y(run[0][field]), r: 2.5 }),
  );
}

function photoPins(plot, y, photos, points) {
  return photos.map((photo, i) => {
    const x = plot.x(photo.media_s);
    const point = nearest(points, photo.media_s);
    const marks = ["leading", "trailing"].map((kind) =>
      point && point[`${kind}_m`] !== null ? s("circle", { class: `curve-dot ${kind}`, cx: x, cy: y(point[`${kind}_m`]), r: 3.5 }) : null,
    );
    return s(
      "g",
      { class: "photo-pin" },
      s("title", {}, `${t("diagram.photo")} ${i + 1}: ${label("photo", photo.role)}`),
      s("line", { x1: x, x2: x, y1: plot.top, y2: plot.bottom }),
      marks,
      s("circle", { class: "pin", cx: x, cy: plot.bottom - 14, r: 9 }),
      s("text", { x, y: plot.bottom - 10, "text-anchor": "middle" }, String(i + 1)),
    );
  });
}

function nearest(points, at) {
  return points.reduce((best, point) => (!best || Math.abs(point.media_s - at) < Math.abs(best.media_s - at) ? point : best), null);
}

/** The distance at that moment between the points around it; null across a gap or outside. */
function valueAt(points, field, at) {
  const after = points.findIndex((point) => point.media_s >= at);
  if (after < 0) return null;
  const b = points[after];
  if (b.media_s === at || after === 0) return b.media_s - at < 1e-6 ? b[field] : null;
  const a = points[after - 1];
  if (b.media_s - a.media_s > GAP_S || a[field] === null || b[field] === null) return null;
  return a[field] + ((at - a.media_s) / (b.media_s - a.media_s)) * (b[field] - a[field]);
}

function signalAt(head, at) {
  return head.spans.findLast((span) => span.from_s <= at && at <= span.to_s) ?? null;
}

function fillReadout(readout, at, { points, heads, eventS }) {
  const parts = [h("span", {}, t("diagram.read.time", { s: number(at - eventS, 2, { sign: true }) }))];
  for (const [field, key] of [["leading_m", "front"], ["trailing_m", "rear"]]) {
    const value = valueAt(points, field, at);
    const text = value === null ? "—" : `${number(value, 1, { sign: true })} m`;
    parts.push(h("span", { class: key }, t(`diagram.read.${key}`, { m: text })));
  }
  for (const head of heads) {
    const span = signalAt(head, at);
    if (!span) continue;
    const since = span.onset_s ? number(Math.max(at - span.onset_s[1], 0), 2) : null;
    const state = label("signal", span.state);
    parts.push(
      h("span", { class: `signal-word ${span.state}` }, since === null ? state : t("diagram.read.signal_since", { state, s: since })),
    );
  }
  readout.replaceChildren(...parts);
}

function legend(points) {
  const item = (kind, text) => h("li", {}, h("span", { class: `key ${kind}`, "aria-hidden": "true" }), text);
  return h(
    "ul",
    { class: "legend" },
    item("leading", t("diagram.leading")),
    item("trailing", t("diagram.trailing")),
    item("crossing-key", t("diagram.crossing")),
    item("pin-key", t("diagram.photo")),
    stretches(points).length > 1 ? item("unseen-key", t("diagram.unseen")) : null,
  );
}

function table(points, heads, eventS) {
  const cell = (value, digits) => h("td", {}, value === null ? "—" : number(value, digits, { sign: true }));
  return h(
    "details",
    { class: "figures" },
    h("summary", {}, t("diagram.table")),
    h(
      "div",
      { class: "figures-scroll", tabindex: "0" },
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ["time", "rel", "front", "rear", "signal"].map((name) => h("th", { scope: "col" }, t(`diagram.col.${name}`))))),
        h(
          "tbody",
          {},
          points.map((point) =>
            h(
              "tr",
              {},
              h("td", {}, number(point.media_s, 3)),
              cell(point.media_s - eventS, 3),
              cell(point.leading_m, 2),
              cell(point.trailing_m, 2),
              h("td", {}, heads.map((head) => label("signal", signalAt(head, point.media_s)?.state ?? "unknown")).join(", ")),
            ),
          ),
        ),
      ),
    ),
  );
}

function summaryOf(trace, onset, eventS) {
  const signal = onset ? t("diagram.summary.red_since", { s: number(eventS - onset[1], 2) }) : t("diagram.summary.red_unseen");
  const [from, to] = trace.crossing_s ?? [eventS, eventS];
  return t("diagram.summary", {
    from: number(from - eventS, 2, { sign: true }),
    to: number(to - eventS, 2, { sign: true }),
    signal,
  });
}
