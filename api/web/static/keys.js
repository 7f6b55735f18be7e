// Single-key shortcuts: never while somebody types, composes with an input method, or looks at a dialog.

const OFF = "stopline.keys_off";

export function keysAreOn() {
  return localStorage.getItem(OFF) === null;
}

export function turnKeys(on) {
  if (on) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "1");
}

/** Whether the key press is meant for a field, an input method, the browser, or an open dialog. */
function isTaken(event) {
  if (event.defaultPrevented || event.isComposing || event.keyCode === 229) return true;
  if (event.ctrlKey || event.altKey || event.metaKey) return true;
  const target = event.target;
  if (!(target instanceof Element)) return false;
  if (target.closest("input, textarea, select, [contenteditable]")) return true;
  if (document.querySelector("dialog[open]")) return true;
  const isControl = target.closest("button, a, summary, video") !== null;
  return isControl && (event.key === " " || event.key === "Enter");
}

/** Calls the action of the key in actions ({key: function}) until the returned function is called. */
export function listenToKeys(actions) {
  const listener = (event) => {
    if (!keysAreOn() || event.repeat || isTaken(event)) return;
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (action === undefined) return;
    event.preventDefault();
    action(event);
  };
  document.addEventListener("keydown", listener);
  return () => document.removeEventListener("keydown", listener);
}
