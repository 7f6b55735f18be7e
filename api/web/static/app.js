// The shell: header, addresses, keys and theme; shows the queue or one case.

import { currentSession, signOut, whenSignedOut } from "./api.js";
import { h, fill } from "./dom.js";
import { showCase } from "./case.js";
import { keysAreOn, turnKeys } from "./keys.js";
import { showQueue } from "./queue.js";
import { QueueStore } from "./queue_store.js";
import { showSignIn, wantedAddress } from "./sign_in.js";
import { t } from "./strings.js";

const THEME = "stopline.theme";
const SIGNED_IN = "stopline.signed_in";
const THEMES = ["system", "light", "dark"];

class App {
  constructor(root) {
    this.main = h("main", { id: "content", tabindex: "-1" });
    this.who = h("span", { class: "who" });
    this.keysDialog = this.#keysDialog();
    fill(root, h("a", { class: "skip", href: "#content" }, t("app.skip")), this.#header(), this.main, this.keysDialog);
    this.store = this.freshStore();
    this.lastCase = null;
    this.showKeys = () => this.keysDialog.showModal();
    this.end = () => {};
    document.addEventListener("click", (event) => this.#follow(event));
    window.addEventListener("popstate", () => this.#show());
    whenSignedOut(() => this.#askWho());
    this.#begin();
  }

  /** Shows what the address names, to somebody whom the server knows. */
  async #begin() {
    if (location.pathname !== "/sign-in") {
      if (!localStorage.getItem(SIGNED_IN)) {
        this.#askWho(); // asking the server would only be answered with an error
        return;
      }
      try {
        this.#greet(await currentSession());
      } catch (error) {
        if (error.code === "sign_in_required") return; // the form is there
        // anything else is told by what is shown
      }
    }
    this.#show();
  }

  /** Somebody has signed in: what was wanted before is shown. */
  signedIn(session) {
    this.#greet(session);
    this.go(wantedAddress());
  }

  #greet(session) {
    localStorage.setItem(SIGNED_IN, "yes");
    const leave = async () => {
      await signOut();
      this.#askWho();
    };
    fill(this.who, session.name, h("button", { class: "quiet", type: "button", on: { click: leave } }, t("app.sign_out")));
  }

  #askWho() {
    if (location.pathname === "/sign-in") return;
    localStorage.removeItem(SIGNED_IN);
    fill(this.who);
    this.go(`/sign-in?to=${encodeURIComponent(location.pathname + location.search)}`);
  }

  freshStore() {
    return new QueueStore(location.search);
  }

  /** The queue that the address's filters list, kept while they stay the same. */
  storeForAddress() {
    if (this.store.search !== location.search) this.store = this.freshStore();
    return this.store;
  }

  go(address, { keepFocus = false } = {}) {
    const name = keepFocus ? document.activeElement?.getAttribute("name") : null;
    history.pushState(null, "", address);
    this.#show();
    if (name) this.main.querySelector(`[name="${CSS.escape(name)}"]`)?.focus();
    else this.main.focus({ preventScroll: true });
  }

  #show() {
    this.end();
    this.end = () => {};
    if (location.pathname === "/sign-in") {
      showSignIn(this.main, this);
      return;
    }
    const [, place, id, ...rest] = location.pathname.split("/");
    if (place === "review" && !rest.length) {
      window.scrollTo(0, 0);
      this.end = id ? showCase(this.main, this, decodeURIComponent(id)) : showQueue(this.main, this);
    } else {
      fill(this.main, h("div", { class: "empty" }, h("p", {}, t("app.not_found")), h("a", { href: "/review" }, t("app.to_queue"))));
    }
  }

  #follow(event) {
    const link = event.target instanceof Element ? event.target.closest("a[href^='/review']") : null;
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.go(link.getAttribute("href"));
  }

  #header() {
    const theme = h(
      "select",
      { "aria-label": t("app.theme"), on: { change: (event) => setTheme(event.target.value) } },
      THEMES.map((name) => h("option", { value: name, selected: name === themeNow() }, t(`app.theme.${name}`))),
    );
    return h(
      "header",
      { class: "top" },
      h("a", { class: "brand", href: "/review" }, h("img", { src: "/static/icon.svg", alt: "", width: 22, height: 22 }), t("app.name")),
      h("nav", {}, h("a", { href: "/review", "aria-current": "page" }, t("app.review"))),
      h("button", { class: "quiet", type: "button", on: { click: () => this.showKeys() } }, t("app.keys"), h("kbd", {}, "?")),
      theme,
      this.who,
    );
  }

  #keysDialog() {
    const rows = [
      ["J", "keys.j"], ["K", "keys.k"], ["Enter", "keys.enter"], ["A", "keys.a"], ["X", "keys.x"], ["Ctrl Enter", "keys.submit"],
      ["Space", "keys.space"], ["E", "keys.e"], ["1–9", "keys.digit"], ["Q", "keys.q"], ["?", "keys.help"], ["Esc", "keys.esc"],
    ];
    const dialog = h(
      "dialog",
      { class: "keys", "aria-labelledby": "keys-title" },
      h("h2", { id: "keys-title" }, t("keys.title")),
      h("dl", {}, rows.map(([key, what]) => [h("dt", {}, key.split(" ").map((part) => h("kbd", {}, part))), h("dd", {}, t(what))])),
      h(
        "label",
        { class: "check" },
        h("input", { type: "checkbox", checked: keysAreOn(), on: { change: (event) => turnKeys(event.target.checked) } }),
        t("keys.on"),
      ),
      h("form", { method: "dialog" }, h("button", { class: "button" }, t("keys.esc"))),
    );
    return dialog;
  }
}

function themeNow() {
  const kept = localStorage.getItem(THEME);
  return THEMES.includes(kept) ? kept : "system";
}

function setTheme(name) {
  if (name === "system") localStorage.removeItem(THEME);
  else localStorage.setItem(THEME, name);
  document.documentElement.dataset.theme = name;
}

setTheme(themeNow());
new App(document.getElementById("app"));
