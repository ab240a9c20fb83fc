// The palette: everything on the page marked data-command="What it does" (links, buttons), filtered as one types.
// With data-search-url on the dialog, names and acts are looked up there too, a moment after the last key:
// [{"label", "hint", "icon", "url"}], or with "post", "values" and "ask" where choosing it does something.
(() => {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const TYPING_MS = 150;
  const SLOW_MS = 400;
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("[role='listbox']");
  const empty = dialog.querySelector("[data-palette-empty]");
  const state = dialog.querySelector("[data-palette-state]");
  let own = [];
  let found = [];
  let at = 0;
  let asked = 0; // the newest look-up; older answers are dropped
  let looking = null; // its promise, while it is under way
  let typing = 0;

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
    text.className = "clip";
    text.textContent = label;
    if (hint) Object.assign(node.appendChild(document.createElement("span")), { className: "faint nowrap", textContent: hint });
    node.addEventListener("click", () => choose(index));
    return node;
  }

  function draw() {
    at = Math.max(0, Math.min(at, found.length - 1));
    list.replaceChildren(...found.map(option));
    input.setAttribute("aria-activedescendant", found.length ? `palette-${at}` : "");
    list.children[at]?.scrollIntoView({ block: "nearest" });
    if (empty) empty.hidden = found.length > 0 || Boolean(looking) || !state.hidden;
  }

  function say(text) {
    state.textContent = text;
    state.hidden = !text;
  }

  function iconOf(name) { // the sprite's, drawn as another on the page is
    const known = document.querySelector("svg.icon")?.cloneNode(true);
    const use = known?.querySelector("use");
    if (use) use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${name}`));
    if (known) known.setAttribute("class", "icon");
    return known;
  }

  const lineOf = (row) => ({ ...row, icon: iconOf(row.icon), run: () => (row.post ? act(row) : location.assign(row.url)) });

  async function act({ post, values, ask, label }) {
    if (!ask || (await spot.ask(ask, { confirmTitle: label, confirmYes: "Do it" }))) spot.act(post, values);
  }

  async function lookUp(typed, turn) {
    const slow = setTimeout(() => turn === asked && say("Looking…"), SLOW_MS);
    try {
      const answer = await fetch(`${dialog.dataset.searchUrl}?q=${encodeURIComponent(typed)}`, { cache: "no-store" });
      if (answer.redirected || !answer.ok) throw new Error(String(answer.status));
      const rows = await answer.json();
      if (turn !== asked) return;
      say("");
      found = own.concat(rows.map(lineOf));
    } catch {
      if (turn === asked) say("Names could not be looked up: the console did not answer. What is on this page still works.");
    } finally {
      clearTimeout(slow);
      if (turn === asked) { looking = null; draw(); }
    }
  }

  function search() {
    const typed = input.value.trim();
    const turn = ++asked;
    own = found = commands().filter(({ label }) => matches(label, typed)).slice(0, 50);
    at = 0;
    clearTimeout(typing);
    say("");
    looking = !dialog.dataset.searchUrl || !typed ? null : new Promise((done) => {
      typing = setTimeout(() => lookUp(typed, turn).then(done), TYPING_MS);
    });
    draw();
  }

  async function choose(index) {
    if (!found[index] && looking) await looking; // Enter came before the answer
    const chosen = found[index];
    if (!chosen) return;
    dialog.close();
    chosen.run();
  }

  dialog.addEventListener("spot:opened", () => { input.value = ""; search(); input.focus(); });
  input.addEventListener("input", search);
  input.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) { at = (at + by + found.length) % Math.max(1, found.length); draw(); event.preventDefault(); }
    if (event.key === "Enter" && !event.isComposing) { event.preventDefault(); choose(at); }
  });
})();
