// Light, dark or as the system. Loaded in the head without defer, so that no page flashes.
// data-theme-choice="light|dark|system" on a button; the server's own data-theme on <html> wins at load.
(() => {
  const root = document.documentElement;
  const KEY = "spot.theme";
  root.classList.add("has-script");

  function remembered() {
    try { return localStorage.getItem(KEY); } catch { return null; }
  }

  function apply(choice) {
    if (choice === "light" || choice === "dark") root.dataset.theme = choice;
    else delete root.dataset.theme;
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === (choice || "system")));
    }
    document.dispatchEvent(new CustomEvent("spot:theme", { detail: { choice } }));
  }

  if (!root.dataset.theme) apply(remembered());

  document.addEventListener("DOMContentLoaded", () => apply(root.dataset.theme));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice]");
    if (!button) return;
    const choice = button.dataset.themeChoice;
    try { localStorage.setItem(KEY, choice); } catch { /* private window: kept for this page only */ }
    apply(choice);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    document.dispatchEvent(new CustomEvent("spot:theme", { detail: { choice: root.dataset.theme } }));
  });
})();
