// Toasts: dispatch "spot:toast" with {text, tone, undo}, or answer HX-Trigger: {"spot:toast": {…}}.
// With `undo` (a URL to POST to) the toast counts ten seconds down; without script the page's own forms do the same.
(() => {
  const KEPT_MS = { danger: 0, warn: 12000 };
  const UNDO_MS = 10000;
  const ground = document.querySelector("[data-toasts]");
  if (!ground) return;

  function post(url) {
    const token = document.querySelector('meta[name="csrf-token"]')?.content || "";
    return fetch(url, { method: "POST", headers: { "X-CSRFToken": token, "HX-Request": "true" } });
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
    const text = answer?.ok ? "Undone." : "It could not be undone: it is too late, or the connection is gone. Reload to see where it stands.";
    show({ text, tone: answer?.ok ? "neutral" : "danger" });
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
      toast.append(bar, button("Undo", () => undo(toast, url)));
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
  document.addEventListener("spot:toast", (event) => show(event.detail));
})();
