// The diagram of a stay: when the vehicle was seen standing, when it was not, and where the allowed stop ends.

import { chart } from "./chart.js";
import { h, s } from "./dom.js";
import { number } from "./format.js";
import { label, t } from "./strings.js";

const LANE = 34;

/** The diagram with readout and table. onSeek is given media seconds. Returns {element, setPlayhead}. */
export function parkingDiagram(trace, eventS, onSeek) {
  const spans = trace.dwell;
  const from = Math.min(...spans.map((span) => span.from_s));
  const to = Math.max(...spans.map((span) => span.to_s));
  const limitS = eventS;
  const allowed = trace.allowed_stop_s;
  const moments = [from, to, limitS, ...trace.photos.map((photo) => photo.media_s)];
  const pad = (Math.max(...moments) - Math.min(...moments)) * 0.03 + 0.2;
  const domain = [Math.min(...moments) - pad, Math.max(...moments) + pad];
  const lengths = { seen: total(spans, true), unseen: total(spans, false) };
  const readout = h("p", { class: "readout" });
  const read = (at) => {
    const isThere = at >= from && at <= to;
    const parts = [h("span", {}, isThere ? t("diagram.read.standing", { s: number(at - from, 1) }) : "—")];
    if (isThere && at > limitS) parts.push(h("span", { class: "over" }, t("diagram.read.over", { s: number(at - limitS, 1) })));
    readout.replaceChildren(...parts);
  };
  const drawn = chart({
    domain,
    zero: from,
    height: 190,
    margin: { left: 92, right: 14, top: 34, bottom: 40 },
    axisTitle: t("diagram.parking.x"),
    summary: t("diagram.parking.summary", { dwell: number(to - from, 1), unseen: number(lengths.unseen, 1), allowed: allowed === null ? "?" : number(allowed, 0) }),
    onSeek,
    draw: (plot) => [
      lane(plot, 0, spans.filter((span) => span.seen), "seen", lengths.seen),
      lane(plot, 1, spans.filter((span) => !span.seen), "unseen", lengths.unseen),
      limit(plot, from, limitS, allowed),
      pins(plot, trace.photos),
    ],
  });
  read(eventS);
  return {
    element: h("div", { class: "diagram" }, drawn.element, readout, table(spans)),
    setPlayhead(at) {
      drawn.setPlayhead(at);
      read(at);
    },
  };
}

function total(spans, seen) {
  return spans.filter((span) => span.seen === seen).reduce((sum, span) => sum + span.to_s - span.from_s, 0);
}

function lane(plot, row, spans, kind, length) {
  const y = plot.top + 12 + row * (LANE + 6);
  return s(
    "g",
    {},
    s("rect", { class: "lane", x: plot.left, y, width: plot.right - plot.left, height: LANE }),
    s("text", { class: "lane-name", x: plot.left - 8, y: y + 14, "text-anchor": "end" }, t(`diagram.parking.${kind}`)),
    s("text", { class: "lane-length", x: plot.left - 8, y: y + 29, "text-anchor": "end" }, t("diagram.parking.total", { s: number(length, 1) })),
    spans.map((span) => {
      const box = { x: plot.x(span.from_s), y: y + 4, width: Math.max(plot.x(span.to_s) - plot.x(span.from_s), 1.5), height: LANE - 8, rx: 2 };
      return [
        s("rect", { class: `dwell ${kind}`, ...box }, s("title", {}, `${number(span.from_s, 2)}–${number(span.to_s, 2)} s`)),
        kind === "unseen" ? s("rect", { fill: plot.hatch("unseen"), ...box }) : null,
      ];
    }),
  );
}

function limit(plot, from, limitS, allowed) {
  const x = plot.x(limitS);
  const begin = plot.x(from);
  const y = plot.top + 4;
  return s(
    "g",
    { class: "limit" },
    s("line", { class: "allowed", x1: begin, x2: x, y1: y, y2: y }),
    s("line", { class: "allowed", x1: begin, x2: begin, y1: y - 4, y2: y + 4 }),
    allowed === null ? null : s("text", { class: "allowed-name", x: (begin + x) / 2, y: y - 6, "text-anchor": "middle" }, t("diagram.parking.allowed", { s: number(allowed, 0) })),
    s("rect", { class: "over-limit", x, y: y + 4, width: Math.max(plot.right - x, 0), height: plot.bottom - y - 4 }),
    s("line", { class: "limit-tick", x1: x, x2: x, y1: y - 8, y2: plot.bottom }),
    s("text", { class: "limit-name", x: x + 5, y: y + 1 }, t("diagram.parking.limit")),
  );
}

function pins(plot, photos) {
  return photos.map((photo, i) => {
    const x = plot.x(photo.media_s);
    return s(
      "g",
      { class: "photo-pin" },
      s("title", {}, `${t("diagram.photo")} ${i + 1}: ${label("photo", photo.role)}`),
      s("line", { x1: x, x2: x, y1: plot.top + 12, y2: plot.bottom }),
      s("circle", { class: "pin", cx: x, cy: plot.bottom - 14, r: 9 }),
      s("text", { x, y: plot.bottom - 10, "text-anchor": "middle" }, String(i + 1)),
    );
  });
}

function table(spans) {
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
        h("thead", {}, h("tr", {}, ["from", "to", "length", "state"].map((name) => h("th", { scope: "col" }, t(`diagram.col.${name}`))))),
        h(
          "tbody",
          {},
          spans.map((span) =>
            h(
              "tr",
              {},
              h("td", {}, number(span.from_s, 3)),
              h("td", {}, number(span.to_s, 3)),
              h("td", {}, number(span.to_s - span.from_s, 3)),
              h("td", {}, t(span.seen ? "diagram.parking.seen" : "diagram.parking.unseen")),
            ),
          ),
        ),
      ),
    ),
  );
}
