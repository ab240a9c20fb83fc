// Keys. j k move over [data-key] rows, Enter opens the row's [data-open] link, x ticks its [data-select];
// a c e m n r s t u press [data-hotkey="…"] (of the bulk bar while rows are ticked, else of the row, else of the page);
// g + letter follows [data-go="…"]; / focuses [data-search]; . presses [data-live-state]; ? opens #help; Ctrl-K #palette.
// Single keys are off inside inputs and with data-single-keys="off" on <body>.
(() => {
  const GO_MS = 1200;
  let goUntil = 0;

  const rows = () => [...document.querySelectorAll("[data-rows] [data-key]")].filter((row) => row.getClientRects().length);
  const current = () => document.querySelector("[data-key][data-current]");

  function isTyping(target) {
    return target.closest("input:not([type='checkbox'], [type='radio']), textarea, select, [contenteditable]");
  }

  function moveTo(row) {
    current()?.removeAttribute("data-current");
    if (!row) return;
    row.dataset.current = "";
    (row.querySelector("[data-open]") || row).focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  function step(by) {
    const all = rows();
    const at = all.indexOf(current());
    moveTo(all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))]);
  }

  function tick() {
    const box = current()?.querySelector("[data-select]");
    if (!box) return;
    box.checked = !box.checked;
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function press(key) {
    const bulk = document.querySelector("[data-bulk]:not([hidden])");
    const control = [bulk, current(), document].reduce(
      (found, scope) => found || scope?.querySelector(`[data-hotkey="${key}"]:not(:disabled)`), null);
    if (!control) return false;
    if (control.matches("input, textarea")) control.focus();
    else control.click();
    return true;
  }

  function open(id) {
    const dialog = document.getElementById(id);
    if (!dialog || dialog.open) return false;
    dialog.showModal();
    dialog.dispatchEvent(new CustomEvent("spot:opened"));
    return true;
  }

  const ACTS = {
    j: () => { step(1); return true; },
    k: () => { step(-1); return true; },
    x: () => { tick(); return true; },
    "/": () => { const box = document.querySelector("[data-search]"); box?.focus(); box?.select?.(); return Boolean(box); },
    ".": () => { const button = document.querySelector("[data-live-state]"); button?.click(); return Boolean(button); },
    "?": () => open("help"),
    g: () => { goUntil = Date.now() + GO_MS; return true; },
    Enter: () => {
      const link = current()?.querySelector("[data-open]");
      if (!link || document.activeElement !== document.body) return false;
      link.click();
      return true;
    },
  };

  function go(key) {
    goUntil = 0;
    const link = document.querySelector(`[data-go="${key}"]`);
    link?.click();
    return Boolean(link);
  }

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
      if (open("palette")) event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.body.dataset.singleKeys === "off" || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const act = Date.now() < goUntil ? () => go(event.key) : ACTS[event.key] || (/^[acemnrstu]$/.test(event.key) && (() => press(event.key)));
    if (act && act()) event.preventDefault();
  });

  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-rows] [data-key]");
    if (row && row !== current()) { current()?.removeAttribute("data-current"); row.dataset.current = ""; }
  });
})();
