// The palette: everything on the page marked data-command="What it does" (links, buttons), filtered as one types.
// With data-search-url on the dialog, names are looked up there too: [{"label", "hint", "url"}].
(() => {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("[role='listbox']");
  const empty = dialog.querySelector("[data-palette-empty]");
  let found = [];
  let at = 0;
  let asked = 0;

  function commands() {
    const seen = new Set();
    return [...document.querySelectorAll("[data-command]")].flatMap((node) => {
      const label = node.dataset.command;
      if (seen.has(label) || node.disabled || node.closest("[hidden]")) return [];
      seen.add(label);
      const icon = node.querySelector("svg")?.cloneNode(true);
      return [{ label, hint: node.dataset.commandKeys || "", icon, run: () => node.click() }];
    });
  }

  // Pure: does every word typed begin some word of the label?
  function matches(label, typed) {
    const words = label.toLowerCase().split(/[\s\-/]+/);
    return typed.toLowerCase().split(/\s+/).filter(Boolean).every((part) => words.some((word) => word.startsWith(part)));
  }

  function option({ label, hint, icon }, index) {
    const node = document.createElement("li");
    node.id = `palette-${index}`;
    node.setAttribute("role", "option");
    node.setAttribute("aria-selected", String(index === at));
    if (icon) node.append(icon);
    const text = node.appendChild(document.createElement("span"));
    text.textContent = label;
    if (hint) Object.assign(node.appendChild(document.createElement("span")), { className: "faint", textContent: hint });
    node.addEventListener("click", () => choose(index));
    return node;
  }

  function draw() {
    at = Math.max(0, Math.min(at, found.length - 1));
    list.replaceChildren(...found.map(option));
    input.setAttribute("aria-activedescendant", found.length ? `palette-${at}` : "");
    list.children[at]?.scrollIntoView({ block: "nearest" });
    if (empty) empty.hidden = found.length > 0;
  }

  async function lookUp(typed) {
    const turn = ++asked;
    if (!dialog.dataset.searchUrl || typed.length < 2) return;
    const answer = await fetch(`${dialog.dataset.searchUrl}?q=${encodeURIComponent(typed)}`).catch(() => null);
    if (!answer?.ok || turn !== asked) return;
    const rows = await answer.json();
    found = found.concat(rows.map(({ label, hint, url }) => ({ label, hint, run: () => location.assign(url) })));
    draw();
  }

  function search() {
    found = commands().filter(({ label }) => matches(label, input.value)).slice(0, 50);
    at = 0;
    draw();
    lookUp(input.value.trim());
  }

  function choose(index) {
    const chosen = found[index];
    dialog.close();
    chosen?.run();
  }

  dialog.addEventListener("spot:opened", () => { input.value = ""; search(); input.focus(); });
  input.addEventListener("input", search);
  input.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) { at = (at + by + found.length) % Math.max(1, found.length); draw(); event.preventDefault(); }
    if (event.key === "Enter") { event.preventDefault(); choose(at); }
  });
})();
