// Confirm or reject: two steps each, a reason for a rejection, and what was decided.

import { decide, etagOf, getCase, newKey } from "./api.js";
import { h, fill, announce } from "./dom.js";
import { siteTime } from "./format.js";
import { Lease } from "./lease.js";
import { label, REJECT_CODES, t } from "./strings.js";

const OPEN_STAGES = ["review", "second_review", "adjudication"];

/**
 * The panel for a case. onDecided(detail) is called with the case as it stands after a decision, ours or
 * somebody else's. Returns {element, begin(decision), setPictures(state), end()}.
 */
export function decisionPanel(detail, { onDecided, next }) {
  const body = h("div", { class: "decide-body" });
  const element = h("section", { class: "panel decide", "aria-labelledby": "decide-title" }, h("h2", { id: "decide-title" }, t("decide.title")), body);
  let pictures = "waiting";
  let isAsking = false;
  let isDone = false;
  let attempt = { text: null, key: null };

  const isOpen = () => !isDone && detail.decision === "open" && OPEN_STAGES.includes(detail.stage);
  const lease = isOpen() ? new Lease(detail.id, () => { if (isOpen() && !isAsking) showChoice(); }) : null;
  const whyNotReject = () => lease?.error?.message ?? null;

  const whyNotConfirm = () => {
    if (whyNotReject()) return whyNotReject();
    if (detail.confirm_bar) return t(`decide.bar.${detail.confirm_bar.code}`);
    if (pictures === "failed") return t("decide.picture_failed");
    return pictures === "waiting" ? t("decide.wait_pictures") : null;
  };

  const showChoice = () => {
    isAsking = false;
    const reason = whyNotConfirm();
    fill(
      body,
      h(
        "div",
        { class: "decide-choice" },
        h("button", { class: "button choice", type: "button", disabled: reason !== null, "aria-describedby": reason ? "confirm-bar" : null, on: { click: () => begin("confirm") } }, t("decide.confirm"), h("kbd", {}, "A")),
        h("button", { class: "button choice", type: "button", disabled: whyNotReject() !== null, on: { click: () => begin("reject") } }, t("decide.reject"), h("kbd", {}, "X")),
      ),
      reason ? h("p", { class: "muted small", id: "confirm-bar" }, reason) : null,
    );
  };

  const begin = (decision) => {
    if (!isOpen() || isAsking || whyNotReject()) return;
    if (decision === "confirm" && whyNotConfirm()) {
      announce(whyNotConfirm());
      return;
    }
    isAsking = true;
    fill(body, form(decision));
    body.querySelector(decision === "reject" ? "input[type=radio]" : "textarea").focus();
  };

  const form = (decision) => {
    const isReject = decision === "reject";
    const mistake = h("p", { class: "mistake", role: "alert" });
    const note = h("textarea", { name: "note", rows: 2, maxlength: 2000 });
    const noteName = h("span", {}, t("decide.note.optional"));
    const send = h("button", { class: `button solid ${decision}` }, t(`decide.${decision}`), h("kbd", {}, t("decide.submit")));
    const codeChanged = (event) => {
      if (event.target.name === "code") noteName.textContent = t(event.target.value === "other" ? "decide.note.needed" : "decide.note.optional");
    };
    const submit = async (event) => {
      event.preventDefault();
      const wrong = checked(new FormData(made), isReject);
      mistake.textContent = wrong?.text ?? "";
      if (wrong) {
        made.querySelector(`[name=${wrong.field}]`).focus();
        return;
      }
      await sendVerdict(made, decision, mistake, send);
    };
    const made = h(
      "form",
      { class: "decide-form", novalidate: true, on: { submit, change: codeChanged, keydown: (event) => quickKeys(event, made, showChoice) } },
      h("h3", {}, t(`decide.${decision}.head`)),
      isReject
        ? h("fieldset", {}, h("legend", {}, t("decide.code")), REJECT_CODES.map((code) => h("label", { class: "radio" }, h("input", { type: "radio", name: "code", value: code }), label("code", code))))
        : h("p", { class: "small" }, t("decide.hint.confirm")),
      h("label", { class: "field" }, noteName, note),
      mistake,
      h("div", { class: "decide-send" }, h("button", { class: "button", type: "button", on: { click: () => { showChoice(); body.querySelector("button:not([disabled])")?.focus(); } } }, t("decide.cancel")), send),
    );
    return made;
  };

  const sendVerdict = async (made, decision, mistake, send) => {
    const given = new FormData(made);
    const verdict = { decision, note: given.get("note").trim() };
    if (decision === "reject") verdict.code = given.get("code");
    send.disabled = true;
    try {
      await lease.asked;
      if (!lease.claim && !(await lease.take())) throw lease.error;
      verdict.claim = lease.claim.number;
      const text = JSON.stringify(verdict);
      if (attempt.text !== text) attempt = { text, key: newKey() }; // sent again after a lost answer, it decides once
      const outcome = await decide(detail.id, verdict, etagOf(detail), attempt.key);
      lease.end(false);
      announce(t(`decide.said.${outcome.decision}`));
      take(await getCase(detail.id), null);
    } catch (error) {
      if (error.code === "already_decided" || error.code === "case_changed") {
        await takeOthers(verdict.note, mistake);
      } else if (error.code === "claim_lost") {
        mistake.textContent = (await lease.take()) ? t("decide.claim_again") : lease.error.message;
      } else {
        mistake.textContent = error.requestId ? `${error.message} (${t("error.request", { id: error.requestId })})` : error.message;
      }
    } finally {
      send.disabled = false;
    }
  };

  const takeOthers = async (ownNote, mistake) => {
    try {
      const now = await getCase(detail.id);
      if (now.decision === "open") {
        detail = now;
        await lease.take();
        mistake.textContent = lease.error?.message ?? t("decide.changed_open");
        return;
      }
      lease.end(false);
      take(now, ownNote);
      announce(t("decide.changed"));
    } catch (error) {
      mistake.textContent = error.message;
    }
  };

  const take = (decided, ownNote) => {
    detail = decided;
    isDone = true;
    showDecided(ownNote);
    onDecided(decided);
    body.querySelector("a")?.focus();
  };

  const showDecided = (ownNote) => {
    const review = detail.reviews.at(-1);
    fill(
      body,
      ownNote === null ? null : h("div", { class: "notice held" }, h("p", {}, t("decide.changed")), ownNote ? h("p", {}, `${t("decide.your_note")}: ${ownNote}`) : null),
      h("p", { class: `decided ${detail.decision}` }, h("strong", {}, t(detail.decision === "open" ? `stage.${detail.stage}` : `decide.done.${detail.decision}`)), review?.code ? h("span", {}, label("code", review.code)) : null),
      review ? h("p", { class: "muted small" }, t("decide.done.by", { who: review.reviewer, when: siteTime(review.decided_local) })) : null,
      review?.note ? h("blockquote", {}, review.note) : null,
      next ? h("a", { class: "button", href: next }, t("decide.next"), h("kbd", {}, "J")) : null,
    );
  };

  if (isOpen()) showChoice();
  else showDecided(null);

  return {
    element,
    begin,
    setPictures(state) {
      pictures = state;
      if (isOpen() && !isAsking) showChoice();
    },
    setNext(address) {
      next = address;
      if (!isOpen()) showDecided(null);
    },
    end() {
      lease?.end(isOpen());
    },
  };
}

function checked(given, isReject) {
  if (isReject && !given.get("code")) return { field: "code", text: t("decide.need_code") };
  if (isReject && given.get("code") === "other" && !given.get("note").trim()) return { field: "note", text: t("decide.need_note") };
  return null;
}

function quickKeys(event, made, cancel) {
  if (event.isComposing || event.keyCode === 229) return;
  if (event.key === "Enter" && event.ctrlKey) {
    event.preventDefault();
    made.requestSubmit();
  } else if (event.key === "Enter" && event.target instanceof HTMLInputElement) {
    event.preventDefault(); // a stray Enter must not decide
  } else if (event.key === "Escape") {
    event.preventDefault();
    cancel();
    document.querySelector(".decide button:not([disabled])")?.focus();
  }
}
