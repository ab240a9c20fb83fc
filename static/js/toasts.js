// Toasts: dispatch "spot:toast" with {text, tone, undo}, or answer HX-Trigger: {"spot:toast": {…}}.
// With `undo` (a URL to POST to) the toast counts ten seconds down, and `u` undoes the newest; without script the page's own forms do the same.
(() => {
  const KEPT_MS = { danger: 0, warn: 12000 };
  const UNDO_MS = 10000;
  const ground = document.querySelector("[data-toasts]");
  if (!ground) return;

  function post(url, values = {}) {
    const token = document.querySelector('meta[name="csrf-token"]')?.content || "";
    const body = new URLSearchParams(values);
    return fetch(url, { method: "POST", body, headers: { "X-CSRFToken": token, "HX-Request": "true" } });
  }

  // Do something by its URL, and show what the console says of it.
  async function act(url, values) {
    const answer = await post(url, values).catch(() => null);
    const failed = answer ? `The console failed (${answer.status}). Look where it stands, then try again.`
      : "The console cannot be reached. Nothing is known to have been done; try again.";
    show(said(answer) || { text: answer?.status === 403 ? "You may not do that." : failed, tone: "danger" });
    window.spot.refreshAll?.();
  }

  // What the console says of it, in the header that htmx would have read.
  function said(answer) {
    try { return JSON.parse(answer.headers.get("HX-Trigger"))["spot:toast"]; } catch { return null; }
  }

  function button(text, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "button small";
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  }

  async function undo(toast, url) {
    toast.remove();
    const answer = await post(url).catch(() => null);
    const told = said(answer);
    const text = answer?.ok ? "Undone." : "It could not be undone: the connection is gone, or it is too late. Reload to see where it stands.";
    show({ text: told?.text || text, tone: told?.tone || (answer?.ok ? "neutral" : "danger") });
    window.spot.refreshAll?.();
  }

  function leave(toast, after) {
    if (!after) return;
    const bar = toast.querySelector("progress");
    const end = Date.now() + after;
    const timer = setInterval(() => {
      if (toast.matches(":hover, :focus-within") && !bar) return;
      if (bar) bar.value = Math.max(0, end - Date.now());
      if (Date.now() < end) return;
      clearInterval(timer);
      toast.remove();
    }, 250);
  }

  function settle(toast, { tone, undo: url }) {
    if (url) {
      const bar = document.createElement("progress");
      bar.max = bar.value = UNDO_MS;
      bar.setAttribute("aria-label", "Time left to undo");
      for (const older of ground.querySelectorAll("[data-hotkey='u']")) older.removeAttribute("data-hotkey");
      const taken = button("Undo", () => undo(toast, url));
      taken.dataset.hotkey = "u";
      taken.append(" ", Object.assign(document.createElement("kbd"), { textContent: "u" }));
      toast.append(bar, taken);
    }
    toast.append(button("Dismiss", () => toast.remove()));
    leave(toast, url ? UNDO_MS : KEPT_MS[tone] ?? 6000);
  }

  function show({ text, tone = "neutral", undo: url = "" }) {
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.dataset.tone = tone;
    const words = document.createElement("span");
    words.textContent = text;
    toast.append(words);
    ground.append(toast);
    settle(toast, { tone, undo: url });
  }

  for (const toast of ground.querySelectorAll("[data-toast]")) {
    settle(toast, { tone: toast.dataset.tone, undo: toast.dataset.undo });
  }
  window.spot = Object.assign(window.spot || {}, { act });
  document.addEventListener("spot:toast", (event) => show(event.detail));
})();
