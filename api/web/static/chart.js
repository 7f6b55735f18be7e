// What both diagrams share: a drawing that fits its width, a time axis, hatches, a playhead, and seeking by pointer.

import { h, s } from "./dom.js";
import { number } from "./format.js";

let charts = 0;

/** Round steps that give about so many ticks from low to high. */
export function ticks(low, high, about) {
  const raw = (high - low) / Math.max(about, 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw);
  const first = Math.ceil(low / step);
  const found = [];
  for (let i = first; i * step <= high + step * 1e-9; i += 1) found.push(i * step);
  return { values: found, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

/**
 * A chart over media seconds. domain is [from, to]; heightOf(width) and margin are in px; draw(plot) returns
 * the elements between the axis and the playhead, where plot has left, right, top, bottom, x(media_s) and
 * hatch(name). zero is the media second that the axis calls 0. Returns {element, setPlayhead(media_s)}.
 */
export function chart({ domain, zero, height, margin, axisTitle, summary, draw, onSeek }) {
  charts += 1;
  const id = `chart-${charts}`;
  const svg = s("svg", { class: "chart", role: "img", "aria-label": summary, height });
  const element = h("div", { class: "chart-box" }, svg);
  let playhead = null;
  let playheadAt = null;
  let plot = null;

  const redraw = (width) => {
    svg.setAttribute("width", width);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const left = margin.left;
    const right = width - margin.right;
    const span = domain[1] - domain[0];
    plot = {
      left,
      right,
      top: margin.top,
      bottom: height - margin.bottom,
      x: (at) => left + ((at - domain[0]) / span) * (right - left),
      at: (x) => domain[0] + ((x - left) / (right - left)) * span,
      hatch: (name) => `url(#${id}-${name})`,
    };
    playhead = s("line", { class: "playhead", y1: margin.top, y2: plot.bottom + 6 });
    svg.replaceChildren(defs(id), ...draw(plot).flat(Infinity).filter(Boolean), timeAxis(plot, domain, zero, axisTitle), playhead);
    place();
  };

  const place = () => {
    const isShown = playheadAt !== null && playheadAt >= domain[0] && playheadAt <= domain[1];
    playhead?.setAttribute("visibility", isShown ? "visible" : "hidden");
    if (!isShown || !plot) return;
    const x = plot.x(playheadAt);
    playhead.setAttribute("x1", x);
    playhead.setAttribute("x2", x);
  };

  let width = 0;
  new ResizeObserver(([entry]) => {
    const now = Math.floor(entry.contentRect.width);
    if (now === width || now < 120) return;
    width = now;
    redraw(width);
  }).observe(element);

  const seek = (event) => {
    if (!plot || !onSeek) return;
    const x = event.clientX - svg.getBoundingClientRect().left;
    onSeek(Math.min(Math.max(plot.at(x), domain[0]), domain[1]));
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    svg.setPointerCapture(event.pointerId);
    seek(event);
  });
  svg.addEventListener("pointermove", (event) => {
    if (svg.hasPointerCapture(event.pointerId)) seek(event);
  });

  return {
    element,
    setPlayhead(at) {
      playheadAt = at;
      place();
    },
  };
}

function timeAxis(plot, domain, zero, title) {
  const { values, digits } = ticks(domain[0] - zero, domain[1] - zero, (plot.right - plot.left) / 52);
  return s(
    "g",
    { class: "axis" },
    s("line", { x1: plot.left, x2: plot.right, y1: plot.bottom, y2: plot.bottom }),
    values.map((value) => {
      const x = plot.x(value + zero);
      return [
        s("line", { x1: x, x2: x, y1: plot.bottom, y2: plot.bottom + 4 }),
        s("text", { x, y: plot.bottom + 16, "text-anchor": "middle" }, number(value, digits, { sign: true })),
      ];
    }),
    s("text", { class: "axis-title", x: plot.right, y: plot.bottom + 31, "text-anchor": "end" }, title),
  );
}

function defs(id) {
  const pattern = (name, size, turn, ...marks) =>
    s("pattern", { id: `${id}-${name}`, width: size, height: size, patternUnits: "userSpaceOnUse", patternTransform: `rotate(${turn})` }, marks);
  const line = (name, size) => s("line", { class: `hatch ${name}`, x1: 0, x2: 0, y1: 0, y2: size });
  return s(
    "defs",
    {},
    pattern("red", 7, 45, line("red", 7)),
    pattern("red_amber", 7, 45, line("red", 7), s("line", { class: "hatch amber", x1: 3.5, x2: 3.5, y1: 0, y2: 7 })),
    pattern("amber", 7, 0, s("circle", { class: "hatch-dot amber", cx: 2, cy: 2, r: 1.2 })),
    pattern("green", 9, 0, line("green", 9)),
    pattern("unknown", 6, -45, line("unknown", 6)),
    pattern("unseen", 6, -45, line("unseen", 6)),
  );
}
