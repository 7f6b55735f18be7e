// The clip with its own controls, and the media second that it shows.

import { h, fill } from "./dom.js";
import { t } from "./strings.js";

const LEAD_S = 2;
const SPEEDS = [0.25, 0.5, 1, 2];

/**
 * A player for a clip of the API whose first picture is at media second first_media_s. onTime is called
 * with media seconds whenever another picture is shown. Returns {element, seek, toEvent, toggle, end}.
 */
export function clipPlayer(clip, eventS, onTime) {
  const first = clip.first_media_s ?? 0;
  const video = h("video", { src: clip.copy_url ?? clip.url, controls: true, muted: true, playsinline: true, preload: "auto", "aria-label": t("case.clip") });
  video.muted = true;
  let frame = 0;

  const tell = () => onTime(first + video.currentTime);
  const follow = () => {
    tell();
    frame = requestAnimationFrame(follow);
  };
  const seek = (mediaS) => {
    video.currentTime = Math.max(0, Math.min(mediaS - first, Number.isFinite(video.duration) ? video.duration : Infinity));
  };
  const toEvent = () => {
    video.pause();
    seek(eventS);
  };
  video.addEventListener("play", () => { cancelAnimationFrame(frame); follow(); });
  video.addEventListener("pause", () => cancelAnimationFrame(frame));
  for (const type of ["seeking", "seeked", "timeupdate"]) video.addEventListener(type, tell);
  video.addEventListener("loadedmetadata", () => { if (video.currentTime === 0) seek(eventS - LEAD_S); }, { once: true });
  const element = h("div", { class: "player" }, video, controls(), copyNote());
  video.addEventListener("error", () => {
    fill(element, h("div", { class: "media-gone" }, h("strong", {}, t("case.clip_unplayable")), h("a", { href: clip.url, download: clip.name }, t("case.clip_open"))));
  });

  function copyNote() {
    return clip.copy_url ? h("p", { class: "muted" }, t("clip.copy"), " ", h("a", { href: clip.url, download: clip.name }, t("clip.original"))) : null;
  }

  function controls() {
    const button = (text, action) => h("button", { class: "small-button", type: "button", on: { click: action } }, text);
    return h(
      "div",
      { class: "player-bar" },
      button(t("clip.start"), () => seek(first)),
      button(t("clip.back"), () => seek(first + video.currentTime - 1)),
      h("button", { class: "small-button strong", type: "button", on: { click: toEvent } }, t("clip.event"), h("kbd", {}, "E")),
      button(t("clip.forward"), () => seek(first + video.currentTime + 1)),
      h(
        "label",
        { class: "speed" },
        h("span", {}, t("clip.speed")),
        h(
          "select",
          { on: { change: (event) => { video.playbackRate = Number(event.target.value); } } },
          SPEEDS.map((speed) => h("option", { value: speed, selected: speed === 1 }, `${speed}×`)),
        ),
      ),
    );
  }

  return {
    element,
    seek,
    toEvent,
    toggle: () => (video.paused ? video.play().catch(() => {}) : video.pause()),
    end: () => {
      cancelAnimationFrame(frame);
      video.pause();
      video.removeAttribute("src");
      video.load();
    },
  };
}
