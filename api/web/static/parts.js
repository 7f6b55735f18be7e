// Small parts that several views show.

import { h } from "./dom.js";
import { label, t } from "./strings.js";

/** What went wrong, the request's id, and a way to try again. */
export function errorPanel(error, retry) {
  return h(
    "div",
    { class: "panel error-panel", role: "alert" },
    h("h2", {}, t("error.title")),
    h("p", {}, error.message),
    error.requestId ? h("p", { class: "muted small" }, t("error.request", { id: error.requestId })) : null,
    h("button", { class: "button", type: "button", on: { click: retry } }, t("error.retry")),
  );
}

/** The plate as it is written, or that it cannot be read. */
export function plateChip(text) {
  return text ? h("span", { class: "plate-chip" }, text) : h("span", { class: "plate-chip none" }, t("plate.unreadable"));
}

/** Nothing for an asserted finding: the others must stand out. */
export function statusTag(status) {
  return status === "asserted" ? null : h("span", { class: `tag ${status}` }, label("status", status));
}

/** Nothing for a complete package, for the same reason. */
export function packageTag(item) {
  if (item.package === "complete") return null;
  return h("span", { class: "tag incomplete", title: item.package_reasons.join("; ") }, label("package", item.package));
}

export function decisionTag(decision) {
  return h("span", { class: `tag ${decision}` }, label("decision", decision));
}

/** A notice above the case: title, and sentences. */
export function notice(kind, title, ...lines) {
  return h("div", { class: `notice ${kind}`, role: "note" }, h("strong", {}, title), lines.map((line) => h("p", {}, line)));
}
