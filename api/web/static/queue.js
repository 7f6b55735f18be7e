// The queue: filters, the cases in order of recording, and what to say when there are none.

import { h, fill, announce } from "./dom.js";
import { whenOf } from "./format.js";
import { listenToKeys } from "./keys.js";
import { DEFAULTS, filtersOf, searchOf } from "./queue_store.js";
import { label, t } from "./strings.js";
import { errorPanel, packageTag, decisionTag, plateChip, statusTag } from "./parts.js";

const LOOK_AGAIN_MS = 15_000;
const RULES = ["red_light", "stopped_past_line", "right_turn_without_stop", "no_parking", "crosswalk_red"];

/** Shows the queue of app.store in root; returns what ends it. */
export function showQueue(root, app) {
  const ended = new AbortController();
  const { signal } = ended;
  const list = h("ol", { class: "queue-list", "aria-label": t("queue.title") });
  const below = h("div", { class: "queue-below" });
  const count = h("p", { class: "queue-count" });
  document.title = `${t("queue.title")} · ${t("app.name")}`;
  fill(
    root,
    h("div", { class: "queue" }, h("div", { class: "queue-head" }, h("h1", {}, t("queue.title")), count), filterBar(app), list, below),
  );

  const showAll = () => {
    fill(list, app.store.items.map((item) => row(item, app)));
    showBelow();
  };

  const showBelow = () => {
    const { store } = app;
    fill(count, store.items.length ? t(store.hasMore ? "queue.count_more" : "queue.count", { n: store.items.length }) : "");
    if (!store.items.length) {
      showEmpty(below, app, signal);
    } else if (store.hasMore) {
      fill(below, h("button", { class: "button", on: { click: () => load(() => store.load(signal)) } }, t("queue.more")));
    } else {
      fill(below);
    }
  };

  const load = async (step) => {
    const known = app.store.items.length;
    if (!known) fill(list, skeletons());
    below.setAttribute("aria-busy", "true");
    try {
      await step();
      if (signal.aborted) return;
      if (known) list.append(...app.store.items.slice(known).map((item) => row(item, app)));
      else showAll();
      showBelow();
    } catch (error) {
      if (signal.aborted) return;
      if (!known) fill(list);
      fill(below, errorPanel(error, () => load(step)));
    } finally {
      below.removeAttribute("aria-busy");
    }
  };

  const lookAgain = async () => {
    if (document.hidden || !app.store.isLoaded || list.querySelector(".new-pill") || below.querySelector(".new-pill")) return;
    try {
      if (!(await app.store.hasNew(signal)) || signal.aborted) return;
      const show = () => {
        fill(below);
        load(() => app.store.loadNew(signal));
      };
      fill(below, h("button", { class: "new-pill", on: { click: show } }, t("queue.new")));
      announce(t("queue.new"));
    } catch {
      // the next look will tell; the list that is shown stays right
    }
  };

  const move = (step) => {
    const links = [...list.querySelectorAll("a.row")];
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1);
    links[next].focus();
  };

  const timer = setInterval(lookAgain, LOOK_AGAIN_MS);
  const stopKeys = listenToKeys({ j: () => move(1), k: () => move(-1), "?": app.showKeys });
  app.store = app.freshStore();
  load(() => app.store.load(signal)).then(() => {
    if (app.lastCase) [...list.querySelectorAll("a.row")].find((link) => link.dataset.id === app.lastCase)?.focus();
  });

  return () => {
    ended.abort();
    clearInterval(timer);
    stopKeys();
  };
}

function filterBar(app) {
  const filters = filtersOf(location.search);
  const go = (form) => {
    const wanted = Object.fromEntries(new FormData(form));
    for (const name of ["camera", "plate"]) wanted[name] = wanted[name].trim();
    app.go(`/review${searchOf({ ...filters, ...wanted })}`, { keepFocus: true });
  };
  const choice = (name, options) =>
    h(
      "label",
      { class: "field" },
      h("span", {}, t(`queue.${name}`)),
      h(
        "select",
        { name, on: { change: (event) => go(event.target.form) } },
        options.map(([value, text]) => h("option", { value, selected: filters[name] === value }, text)),
      ),
    );
  const text = (name) =>
    h(
      "label",
      { class: "field" },
      h("span", {}, t(`queue.${name}`)),
      h("input", {
        name,
        value: filters[name],
        autocomplete: "off",
        spellcheck: "false",
        on: { change: (event) => go(event.target.form) },
      }),
    );
  const any = (value) => [value, t("queue.any")];
  const isDefault = searchOf(filters) === "";
  return h(
    "form",
    { class: "filters", role: "search", "aria-label": t("queue.filters"), on: { submit: (event) => { event.preventDefault(); go(event.target); } } },
    choice("decision", [...["open", "confirmed", "rejected", "void"].map((code) => [code, label("decision", code)]), any("any")]),
    choice("rule", [any(""), ...RULES.map((code) => [code, label("rule", code)])]),
    choice("status", [...["asserted", "held", "exempt"].map((code) => [code, label("status", code)]), any("any")]),
    choice("package", [any(""), ...["complete", "incomplete"].map((code) => [code, label("package", code)])]),
    text("camera"),
    text("plate"),
    h("a", { class: "clear", href: "/review", hidden: isDefault }, t("queue.clear")),
  );
}

function row(item, app) {
  const picture = item.thumbnail
    ? h("img", { src: item.thumbnail, alt: "", loading: "lazy", decoding: "async", on: { error: (event) => event.target.replaceWith(noPicture()) } })
    : noPicture();
  return h(
    "li",
    {},
    h(
      "a",
      { class: "row", href: `/review/${encodeURIComponent(item.id)}${location.search}`, "data-id": item.id },
      h("span", { class: "thumb" }, picture),
      h("span", { class: "row-what" }, h("strong", {}, label("rule", item.rule)), h("span", { class: "muted" }, `${item.camera_id} · ${item.place_id}`)),
      h("span", { class: "row-plate" }, plateChip(item.plate_text), h("span", { class: "muted" }, label("vehicle", item.vehicle_class))),
      h("span", { class: "row-when" }, h("span", {}, whenOf(item)), item.captured_local ? null : h("span", { class: "muted" }, t("time.no_clock"))),
      h("span", { class: "row-tags" }, statusTag(item.status), packageTag(item), decisionTag(item.decision)),
    ),
  );
}

function noPicture() {
  return h("span", { class: "no-picture" }, t("queue.no_picture"));
}

function skeletons() {
  announce(t("queue.loading"));
  return Array.from({ length: 6 }, () => h("li", { class: "row skeleton", "aria-hidden": "true" }));
}

async function showEmpty(below, app, signal) {
  let what = "hidden";
  const { filters } = app.store;
  try {
    if (!(await app.store.hasAny(signal))) what = "empty";
    else if (searchOf(filters) === "") what = "done";
  } catch {
    // "hidden" is true as well
  }
  if (signal.aborted) return;
  fill(
    below,
    h(
      "div",
      { class: "empty" },
      h("h2", {}, t(`queue.${what}.title`)),
      h("p", {}, t(`queue.${what}.text`)),
      what === "hidden" ? h("a", { class: "button", href: "/review" }, t("queue.clear")) : null,
      what === "done" ? h("a", { class: "button", href: `/review${searchOf({ ...DEFAULTS, rule: "", camera: "", plate: "", package: "", decision: "any" })}` }, t("queue.any")) : null,
    ),
  );
}
