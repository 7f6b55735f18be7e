// Signing in: by name and password, or by the link that the address holds; a password that somebody else gave is changed first.

import { changePassword, currentSession, signIn, signInWays } from "./api.js";
import { h, fill } from "./dom.js";
import { label, t } from "./strings.js";

const WANTED = "stopline.wanted";
const PROVIDER = "/api/v1/sessions/identity";
const TROUBLES = ["refused", "unavailable", "wait"];

/** Where to go on after signing in: an address of this page's own, never another's. */
export function wantedAddress() {
  const wanted = new URLSearchParams(location.search).get("to") ?? sessionStorage.getItem(WANTED) ?? "";
  return /^\/review(?:[/?][^\\]*)?$/.test(wanted) ? wanted : "/review";
}

/** Shows the form in main; app.signedIn(session) is called once somebody is signed in. */
export function showSignIn(main, app) {
  document.title = `${t("sign_in.title")} – Stopline`;
  const link = location.hash.slice(1);
  const provider = new URLSearchParams(location.search).get("identity");
  if (provider) history.replaceState(null, "", location.pathname);
  else sessionStorage.removeItem(WANTED);
  if (provider === "done") {
    fill(main, h("p", { class: "empty" }, t("sign_in.by_link")));
    currentSession().then(
      (session) => app.signedIn(session),
      (error) => askForPassword(main, app, error.message),
    );
  } else if (TROUBLES.includes(provider)) {
    askForPassword(main, app, label("sign_in.provider", provider));
  } else if (link) {
    history.replaceState(null, "", location.pathname + location.search); // its secret is used up: no one shall copy it
    fill(main, h("p", { class: "empty" }, t("sign_in.by_link")));
    signIn({ link }).then(
      (session) => app.signedIn(session),
      (error) => {
        const trouble = error.code === "sign_in_refused" ? t("sign_in.link_refused") : error.message;
        currentSession().then(
          (session) => app.signedIn(session), // who used the link before is still there
          () => askForPassword(main, app, trouble),
        );
      },
    );
  } else {
    askForPassword(main, app, "");
  }
}

function askForPassword(main, app, trouble) {
  const mistake = h("p", { class: "mistake", role: "alert" }, trouble);
  const name = h("input", { name: "name", autocomplete: "username", required: true, maxlength: 80 });
  const password = h("input", { name: "password", type: "password", autocomplete: "current-password", required: true, maxlength: 200 });
  const send = h("button", { class: "button solid" }, t("sign_in.send"));
  const submit = async (event) => {
    event.preventDefault();
    send.disabled = true;
    try {
      const session = await signIn({ name: name.value, password: password.value });
      if (session.must_change_password) askForNewPassword(main, app, name.value, password.value);
      else app.signedIn(session);
    } catch (error) {
      mistake.textContent = error.code === "sign_in_refused" ? t("sign_in.refused") : error.message;
      password.value = "";
      password.focus();
    } finally {
      send.disabled = false;
    }
  };
  const others = h("p", {});
  fill(
    main,
    h("form", { class: "panel sign-in", on: { submit } }, h("h1", {}, t("sign_in.title")), field("sign_in.name", name), field("sign_in.password", password), mistake, send, others),
  );
  signInWays().then(
    (ways) => {
      if (!ways.identity_provider) return;
      const remember = () => sessionStorage.setItem(WANTED, wantedAddress());
      fill(others, h("a", { href: PROVIDER, on: { click: remember } }, t("sign_in.provider")));
    },
    () => {}, // the form does without
  );
  name.focus();
}

function askForNewPassword(main, app, name, old) {
  const mistake = h("p", { class: "mistake", role: "alert" });
  const wanted = h("input", { name: "new", type: "password", autocomplete: "new-password", required: true, minlength: 12, maxlength: 200 });
  const send = h("button", { class: "button solid" }, t("sign_in.change"));
  const submit = async (event) => {
    event.preventDefault();
    send.disabled = true;
    try {
      await changePassword(old, wanted.value);
      app.signedIn(await signIn({ name, password: wanted.value }));
    } catch (error) {
      mistake.textContent = error.message;
      wanted.focus();
    } finally {
      send.disabled = false;
    }
  };
  fill(
    main,
    h("form", { class: "panel sign-in", on: { submit } }, h("h1", {}, t("sign_in.new_title")), h("p", {}, t("sign_in.new_text")), field("sign_in.new", wanted), mistake, send),
  );
  wanted.focus();
}

function field(name, input) {
  return h("label", { class: "field" }, h("span", {}, t(name)), input);
}
