// One case: why it was found, its pictures, clip and diagram, the plate, and the decision.

import { getCase, getJson } from "./api.js";
import { decisionPanel } from "./decision.js";
import { lineDiagram } from "./diagram_line.js";
import { parkingDiagram } from "./diagram_parking.js";
import { announce, fill, h } from "./dom.js";
import { number, percent, whenOf } from "./format.js";
import { listenToKeys } from "./keys.js";
import { decisionTag, errorPanel, notice, packageTag, statusTag } from "./parts.js";
import { figure, lightbox, PictureGate } from "./pictures.js";
import { clipPlayer } from "./player.js";
import { label, t } from "./strings.js";

const CLOSE_UPS = ["plate", "lamp"];

/** Shows the case of that id in root; returns what ends it. */
export function showCase(root, app, id) {
  const ended = new AbortController();
  const { signal } = ended;
  const cleanUps = [];
  app.lastCase = id;

  const load = async () => {
    fill(root, h("div", { class: "case-skeleton skeleton", "aria-busy": "true" }, h("p", { class: "visually-hidden" }, t("case.loading"))));
    try {
      const detail = await getCase(id, signal);
      const trace = detail.missing.some((name) => ["trace.json", "manifest.json"].includes(name)) ? null : await getJson(detail.trace_url, signal);
      if (!signal.aborted) show(root, app, detail, trace, cleanUps, signal);
    } catch (error) {
      if (!signal.aborted) fill(root, errorPanel(error, load), h("p", { class: "empty" }, h("a", { href: `/review${location.search}` }, t("app.to_queue"))));
    }
  };
  load();

  return () => {
    ended.abort();
    for (const cleanUp of cleanUps) cleanUp();
  };
}

function show(root, app, detail, trace, cleanUps, signal) {
  document.title = `${label("rule", detail.rule)} · ${detail.plate_text ?? detail.camera_id} · ${t("app.name")}`;
  const scenes = detail.pictures.filter((picture) => !CLOSE_UPS.includes(picture.role));
  const closeUps = CLOSE_UPS.map((role) => detail.pictures.find((picture) => picture.role === role)).filter(Boolean);
  const all = [...scenes, ...closeUps];
  const box = lightbox(all);
  const panel = decisionPanel(detail, {
    next: null,
    onDecided: (decided) => {
      app.store.update(decided);
      fill(tags, tagsOf(decided));
    },
  });
  const gate = new PictureGate(all.filter((picture) => picture.state === "sealed").map((picture) => picture.name), panel.setPictures);
  const pictureOf = (picture, place = null) => figure(picture, { place, eventS: detail.t_s, gate, enlarge: () => box.open(picture.name) });

  let diagram = null;
  const player = detail.clip?.state === "sealed" ? clipPlayer(detail.clip, detail.t_s, (at) => diagram?.setPlayhead(at)) : null;
  diagram = trace ? diagramOf(detail, trace, player) : null;

  const tags = h("span", { class: "tags" }, tagsOf(detail));
  const steps = h("nav", { class: "case-steps" });
  fill(
    root,
    h(
      "article",
      { class: "case" },
      h(
        "div",
        { class: "case-bar" },
        h("a", { class: "back", href: `/review${location.search}` }, "←", h("span", {}, t("case.back")), h("kbd", {}, "Q")),
        h("h1", {}, label("rule", detail.rule)),
        h("span", { class: "muted" }, `${detail.camera_id} · ${detail.place_id}`),
        tags,
        steps,
      ),
      notices(detail),
      h(
        "div",
        { class: "case-main" },
        h("section", { class: "why", "aria-label": t("case.why") }, h("p", { class: "lead" }, detail.why), facts(detail)),
        h("section", { class: "scenes", "aria-label": t("case.photos") }, scenes.map((picture, i) => pictureOf(picture, i + 1))),
        h(
          "div",
          { class: "motion" },
          h("section", { class: "panel", "aria-labelledby": "clip-title" }, h("h2", { id: "clip-title" }, t("case.clip")), player ? player.element : clipGone(detail.clip)),
          h(
            "section",
            { class: "panel", "aria-labelledby": "diagram-title" },
            h("h2", { id: "diagram-title" }, t(detail.rule === "no_parking" ? "case.diagram_parking" : "case.diagram")),
            diagram ? diagram.element : h("p", { class: "muted" }, t("case.no_trace")),
          ),
        ),
        reasons(detail),
      ),
      h(
        "aside",
        { class: "case-side" },
        platePanel(detail, closeUps.find((picture) => picture.role === "plate"), pictureOf),
        lampPanel(closeUps.find((picture) => picture.role === "lamp"), pictureOf),
        panel.element,
      ),
      box.element,
    ),
  );
  gate.onChange(gate.state);
  diagram?.setPlayhead(detail.t_s);

  const walk = neighbours(app, detail.id, steps, panel, signal);
  const actions = {
    j: () => walk.go(1),
    k: () => walk.go(-1),
    a: () => panel.begin("confirm"),
    x: () => panel.begin("reject"),
    q: () => app.go(`/review${location.search}`),
    e: () => player?.toEvent(),
    " ": () => player?.toggle(),
    "?": app.showKeys,
  };
  all.forEach((picture, i) => { actions[String(i + 1)] = () => box.open(picture.name); });
  cleanUps.push(listenToKeys(actions), () => player?.end(), panel.end);
}

function tagsOf(detail) {
  return [statusTag(detail.status), packageTag(detail), decisionTag(detail.decision)].filter(Boolean);
}

function diagramOf(detail, trace, player) {
  const seek = (at) => (player ? player.seek(at) : diagram.setPlayhead(at));
  const isStay = trace.dwell.length > 0;
  if (!isStay && !trace.trace.some((point) => point.leading_m !== null || point.trailing_m !== null)) return null;
  const diagram = isStay ? parkingDiagram(trace, detail.t_s, seek) : lineDiagram(trace, detail.t_s, seek);
  return diagram;
}

function notices(detail) {
  const found = [];
  if (detail.missing.length) found.push(notice("bad", t("case.missing.title"), t("case.missing.text", { names: detail.missing.join(", ") })));
  if (detail.status === "held") found.push(notice("held", t("case.held.title"), t("case.held.text")));
  if (detail.status === "exempt") found.push(notice("held", t("case.exempt.title"), t("decide.bar.exempt")));
  if (detail.package_reasons.length) found.push(notice("held", t("case.incomplete.title"), ...detail.package_reasons));
  return found.length ? h("div", { class: "notices" }, found) : null;
}

function facts(detail) {
  const rows = [
    ["event", [whenOf(detail, { precise: true }), detail.captured_local ? ` (${detail.time_zone})` : null].join("")],
    ["vehicle", label("vehicle", detail.vehicle_class)],
    ["site", detail.site_id],
  ];
  if (detail.captured_local) rows.splice(1, 0, ["recording", `${number(detail.t_s, 2)} s`]);
  if (detail.time_into_red_min_s !== null && detail.status === "asserted") {
    const { time_into_red_min_s: min, time_into_red_max_s: max } = detail;
    rows.push(["into_red", max === null ? t("fact.into_red.value", { min: number(min) }) : t("fact.into_red.range", { min: number(min), max: number(max) })]);
  }
  if (detail.dwell_s !== null) rows.push(["dwell", t("fact.dwell.value", { s: number(detail.dwell_s, 1) })]);
  if (detail.unseen_s) rows.push(["unseen", t("fact.dwell.value", { s: number(detail.unseen_s, 1) })]);
  if (detail.allowed_stop_s !== null) rows.push(["allowed", t("fact.dwell.value", { s: number(detail.allowed_stop_s, 0) })]);
  return h("dl", { class: "facts" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, t(`fact.${name}`)), h("dd", {}, value))));
}

function reasons(detail) {
  return h(
    "details",
    { class: "small-print" },
    h("summary", {}, t("case.reasons")),
    h("ul", {}, detail.reasons.map((reason) => h("li", {}, reason))),
    h("dl", { class: "facts" }, [["id", detail.id], ["manifest", detail.manifest_sha256], ["signed", signed(detail)]].map(([name, value]) => h("div", {}, h("dt", {}, t(`fact.${name}`)), h("dd", {}, h("code", {}, value))))),
  );
}

function signed({ signed_by }) {
  return signed_by ? t("fact.signed.by", { key: signed_by }) : t("fact.signed.not");
}

function clipGone(clip) {
  if (!clip) return h("p", { class: "muted" }, t("case.no_clip"));
  return h("div", { class: "media-gone" }, h("strong", {}, t(`case.media_${clip.state}`)), h("code", {}, clip.name));
}

function platePanel(detail, picture, pictureOf) {
  const { plate } = detail;
  const others = plate?.alternatives ?? [];
  return h(
    "section",
    { class: "panel plate-panel", "aria-labelledby": "plate-title" },
    h("h2", { id: "plate-title" }, t("case.plate")),
    picture ? pictureOf(picture) : null,
    plate?.text
      ? [h("ol", { class: "cells", "aria-label": plate.text }, plate.cells.map(cell)), h("p", { class: "muted small" }, t("case.plate.confidence", { p: percent(plate.confidence) }))]
      : h("p", { class: "unreadable" }, t(plate ? "plate.unreadable" : "plate.none")),
    others.length
      ? h("div", { class: "others" }, h("h3", {}, t("case.plate.other")), h("ul", {}, others.map((other) => h("li", {}, h("span", { class: "plate-chip" }, other.text), h("span", { class: "muted" }, `${percent(other.confidence)} %`)))))
      : null,
  );
}

function cell({ read, instead }) {
  const sure = read.confidence;
  const words = [sure === null ? t("case.plate.cell_unsure", { c: read.text }) : t("case.plate.cell", { c: read.text, p: percent(sure) })];
  words.push(...instead.map((other) => t("case.plate.instead", { c: other.text, p: percent(other.confidence) })));
  const isDoubtful = instead.length > 0 || (sure !== null && sure < 0.9);
  return h(
    "li",
    { class: isDoubtful ? "cell doubtful" : "cell", title: words.join(", "), "aria-label": words.join(", ") },
    h("span", { class: "char", "aria-hidden": "true" }, read.text),
    h("span", { class: "instead", "aria-hidden": "true" }, instead.slice(0, 3).map((other) => other.text).join(" ")),
  );
}

function lampPanel(picture, pictureOf) {
  if (!picture) return null;
  return h("section", { class: "panel lamp-panel", "aria-labelledby": "lamp-title" }, h("h2", { id: "lamp-title" }, t("case.lamp")), pictureOf(picture));
}

/** Previous and next in the queue's order, once the queue is known. */
function neighbours(app, id, steps, panel, signal) {
  const store = app.storeForAddress();
  let place = -1;
  const addressOf = (at) => {
    const item = store.items[at];
    return item ? `/review/${encodeURIComponent(item.id)}${location.search}` : null;
  };
  const beside = (step) => (place < 0 ? (step > 0 ? addressOf(0) : null) : addressOf(place + step));
  const showSteps = () => {
    const link = (step, name, key) => {
      const address = beside(step);
      return h("a", { class: "step", href: address, "aria-disabled": address ? null : "true" }, t(`case.${name}`), h("kbd", {}, key));
    };
    const position = place < 0 ? null : t(store.hasMore ? "case.position_more" : "case.position", { i: place + 1, n: store.items.length });
    fill(steps, link(-1, "previous", "K"), position ? h("span", { class: "muted" }, position) : null, link(1, "next", "J"));
    panel.setNext(beside(1));
  };
  const locate = async () => {
    place = await store.find(id, signal);
    if (place === store.items.length - 1 && store.hasMore) await store.load(signal);
    if (!signal.aborted) showSteps();
  };
  locate().catch((error) => {
    if (!signal.aborted) announce(error.message);
  });
  return {
    go(step) {
      const address = beside(step);
      if (address) app.go(address);
    },
  };
}
