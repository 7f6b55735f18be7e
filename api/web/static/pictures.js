// Evidence pictures: figures that enlarge, and the gate that knows whether all have been shown.

import { h, fill } from "./dom.js";
import { number, siteTime } from "./format.js";
import { label, t } from "./strings.js";

/** Counts the pictures that must have been shown; onChange(state) hears "waiting", "shown" or "failed". */
export class PictureGate {
  constructor(names, onChange) {
    this.waiting = new Set(names);
    this.failed = new Set();
    this.onChange = onChange;
  }

  get state() {
    if (this.failed.size) return "failed";
    return this.waiting.size ? "waiting" : "shown";
  }

  shown(name) {
    this.waiting.delete(name);
    this.onChange(this.state);
  }

  broke(name) {
    if (this.waiting.has(name)) this.failed.add(name);
    this.onChange(this.state);
  }
}

/** A picture with its caption; a click enlarges it. number is shown before the caption where given. */
export function figure(picture, { place = null, eventS, gate, enlarge }) {
  const name = label("photo", picture.role);
  const frame = h("button", { class: "picture", type: "button", "aria-label": t("case.enlarge", { what: name }), on: { click: enlarge } });
  if (picture.state === "sealed") {
    const image = h("img", {
      src: picture.url,
      alt: name,
      decoding: "async",
      on: {
        load: () => gate.shown(picture.name),
        error: () => {
          gate.broke(picture.name);
          gone(frame, "case.media_failed", picture.name);
        },
      },
    });
    fill(frame, image);
  } else {
    gone(frame, `case.media_${picture.state}`, picture.name);
  }
  const when = picture.media_s === null ? null : `${number(picture.media_s - eventS, 2, { sign: true })} s`;
  return h(
    "figure",
    {},
    frame,
    h(
      "figcaption",
      {},
      place === null ? null : h("span", { class: "pin-number" }, String(place)),
      h("span", {}, name),
      when ? h("span", { class: "muted", title: picture.captured_local ? siteTime(picture.captured_local, { precise: true }) : t("time.no_clock") }, when) : null,
    ),
  );
}

function gone(frame, key, name) {
  frame.disabled = true;
  fill(frame, h("span", { class: "media-gone" }, h("strong", {}, t(key)), h("code", {}, name)));
}

/** A dialog that shows the sealed pictures large, one at a time. Returns {element, open(name)}. */
export function lightbox(pictures) {
  const shown = pictures.filter((picture) => picture.state === "sealed");
  let at = 0;
  const image = h("img", { alt: "" });
  const stage = h("div", { class: "lightbox-stage" }, image);
  const caption = h("p", { class: "lightbox-caption" });
  const size = h("button", { class: "small-button", type: "button", on: { click: () => toggleSize() } });
  const dialog = h(
    "dialog",
    { class: "lightbox", "aria-label": t("case.photos"), on: { keydown: (event) => keys(event), click: (event) => { if (event.target === dialog) dialog.close(); } } },
    h(
      "div",
      { class: "lightbox-bar" },
      h("button", { class: "small-button", type: "button", on: { click: () => step(-1) } }, "←"),
      h("button", { class: "small-button", type: "button", on: { click: () => step(1) } }, "→"),
      caption,
      size,
      h("button", { class: "small-button", type: "button", on: { click: () => dialog.close() } }, t("photo.close"), h("kbd", {}, "Esc")),
    ),
    stage,
  );
  image.addEventListener("click", () => toggleSize());

  function show() {
    const picture = shown[at];
    image.src = picture.url;
    image.alt = label("photo", picture.role);
    caption.textContent = [label("photo", picture.role), picture.captured_local ? siteTime(picture.captured_local, { precise: true }) : null, picture.media_s === null ? null : t("time.media", { s: number(picture.media_s, 3) }), t("photo.of", { i: at + 1, n: shown.length })].filter(Boolean).join(" · ");
    setFull(false);
  }

  function setFull(full) {
    stage.classList.toggle("full", full);
    size.textContent = t(full ? "photo.fit" : "photo.full");
  }

  function toggleSize() {
    setFull(!stage.classList.contains("full"));
  }

  function step(by) {
    at = (at + by + shown.length) % shown.length;
    show();
  }

  function keys(event) {
    if (event.key === "ArrowLeft") step(-1);
    else if (event.key === "ArrowRight") step(1);
    else return;
    event.preventDefault();
  }

  return {
    element: dialog,
    open(name) {
      const wanted = shown.findIndex((picture) => picture.name === name);
      if (wanted < 0 || dialog.open) return;
      at = wanted;
      show();
      dialog.showModal();
    },
  };
}
