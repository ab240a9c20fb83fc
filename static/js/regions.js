// Regions: id="name" data-region data-topics="groups feed" [data-url] [data-lazy]. spot.refresh(region) fetches the page's
// own URL with HX-Target: name and merges the answer. Lists inside, [data-rows="name"] with [data-key] children, stay put
// while a pointer or the focus is in them or they are scrolled: new rows wait behind a "3 new, show" button.
(() => {
  const digests = new Map();
  const held = new Map(); // region id -> the newest HTML, not fully shown yet
  const keyed = (list) => [...list.children].filter((row) => row.dataset.key);

  function isIdle(list) {
    if (!keyed(list).length) return true;
    const atTop = list.getBoundingClientRect().top >= 0;
    const hovered = matchMedia("(hover: hover)").matches && list.matches(":hover");
    return atTop && !hovered && !list.contains(document.activeElement) && !list.querySelector("[data-select]:checked");
  }

  // Puts the incoming rows in the order shown; leaves out the new ones and counts them; keeps the gone ones, dimmed.
  function hold(shown, incoming) {
    const fresh = new Map(keyed(incoming).map((row) => [row.dataset.key, row]));
    const rest = [...incoming.children].filter((row) => !row.dataset.key);
    const rows = keyed(shown).map((row) => {
      const next = fresh.get(row.dataset.key);
      fresh.delete(row.dataset.key);
      const gone = next ? null : row.cloneNode(true);
      if (gone) gone.dataset.gone = "";
      return next || gone;
    });
    incoming.replaceChildren(...rest, ...rows);
    return fresh.size;
  }

  const OWN = { "aria-expanded": "*", open: "details, dialog", hidden: "[data-detail]", "data-current": "*", value: ".drain",
    "data-phase": "*", "data-tone": "[data-countdown]", "data-loaded": "*" };
  const isSame = (node, next) => node.dataset?.version && node.dataset.version === next.dataset?.version
    && ("gone" in node.dataset) === ("gone" in next.dataset);
  const callbacks = {
    beforeAttributeUpdated: (name, node) => !(OWN[name] && node.matches(OWN[name])),
    beforeNodeMorphed(node, next) {
      if (node.nodeType !== 1) return true;
      if (isSame(node, next)) return false; // the server wrote the same row: nothing in it can differ
      if (node.matches("[data-select]") && next.matches?.("[data-select]")) next.checked = node.checked;
      return !node.matches("[data-chart], [data-keep], [data-region][data-loaded]");
    },
  };

  function waitingButton(region, count) {
    const known = document.querySelector(`[data-waiting="${region.id}"]`);
    if (!count) return known?.remove();
    const frame = known || Object.assign(document.createElement("div"), { className: "waiting" });
    frame.dataset.waiting = region.id;
    frame.setAttribute("role", "status");
    const button = frame.querySelector("button") || document.createElement("button");
    Object.assign(button, { type: "button", className: "button small", textContent: `${count} new, show` });
    button.onclick = () => merge(region, held.get(region.id), true);
    frame.append(button);
    if (!known) region.before(frame);
  }

  function merge(region, html, isForced = false) {
    const parsed = document.createElement("template");
    parsed.innerHTML = html;
    const root = parsed.content.firstElementChild;
    const isWhole = parsed.content.childElementCount === 1 && root.id === region.id;
    let count = 0;
    for (const list of parsed.content.querySelectorAll("[data-rows]")) {
      const shown = region.querySelector(`[data-rows="${list.dataset.rows}"]`);
      if (shown && !isForced && !isIdle(shown)) count += hold(shown, list);
    }
    Idiomorph.morph(region, isWhole ? root : parsed.content, {
      morphStyle: isWhole ? "outerHTML" : "innerHTML",
      ignoreActiveValue: Boolean(document.activeElement?.matches("input, textarea, select")), // a focused button is renamed
      callbacks: { ...callbacks, beforeNodeMorphed: (node, next) => node === region || callbacks.beforeNodeMorphed(node, next) },
    });
    if (count || region.querySelector("[data-gone]")) held.set(region.id, html);
    else held.delete(region.id);
    waitingButton(region, count);
    window.htmx?.process(region);
    region.dispatchEvent(new CustomEvent("spot:refreshed", { bubbles: true }));
  }

  let isSignedOut = false;
  function tellSignedOut() {
    const detail = { text: "You were signed out, so this page no longer follows. Reload it to sign in.", tone: "danger" };
    if (!isSignedOut) document.dispatchEvent(new CustomEvent("spot:toast", { detail }));
    isSignedOut = true;
  }

  // Regions of one URL that are asked for together travel together: one request, one session, one reading of the database.
  const trips = new Map(); // url -> { next: Map(region -> isForced) asked for since the last request left, done }

  function refresh(region, isForced = false) {
    if (!region.isConnected || (region.dataset.url && !("loaded" in region.dataset) && "lazy" in region.dataset)) return;
    const url = region.dataset.url || location.pathname + location.search;
    const trip = trips.get(url) || { next: new Map(), done: null };
    trips.set(url, trip);
    trip.next.set(region, isForced || trip.next.get(region) || false);
    trip.done ??= Promise.resolve().then(() => travel(url, trip));
    return trip.done;
  }

  async function travel(url, trip) {
    while (trip.next.size) {
      const asked = trip.next;
      trip.next = new Map();
      await fetchRegions(url, [...asked.keys()].filter((region) => region.isConnected), asked);
    }
    trips.delete(url);
  }

  async function fetchRegions(url, regions, isForced) {
    if (!regions.length) return;
    const headers = { "HX-Request": "true", "HX-Current-URL": location.href,
      "HX-Target": regions.map((region) => region.id).join(" "),
      "X-Region-Digest": regions.map((region) => digests.get(region.id) || "-").join(" ") };
    try {
      const answer = await fetch(url, { headers, cache: "no-store" });
      spot.hearTime(answer.headers.get("Date"));
      if (answer.redirected || answer.status === 401) tellSignedOut();
      if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
      for (const [region, digest, html] of await readAnswer(answer, regions)) {
        if (html === null || !region.isConnected) continue;
        digests.set(region.id, digest);
        if (region.dataset.url) region.dataset.loaded = "";
        merge(region, html, isForced.get(region));
      }
      for (const region of regions) region.removeAttribute("data-stale");
    } catch (error) {
      for (const region of regions) region.dataset.stale = error.message;
    }
  }

  // One region comes as HTML; several as JSON with those that differ. 204: nothing differs.
  async function readAnswer(answer, regions) {
    if (answer.status === 204) return [];
    if (regions.length === 1) return [[regions[0], answer.headers.get("X-Region-Digest") || "", await answer.text()]];
    const told = await answer.json();
    return regions.map((region) => [region, told[region.id]?.digest, told[region.id]?.html ?? null]);
  }

  function settle() {
    for (const [id, html] of [...held]) {
      const region = document.getElementById(id);
      if (region && [...region.querySelectorAll("[data-rows]")].every(isIdle)) merge(region, html);
    }
  }
  document.addEventListener("spot:refresh", () => refreshAll());
  let settling = 0;
  for (const name of ["pointerover", "focusout", "scroll", "change"]) {
    addEventListener(name, () => { clearTimeout(settling); if (held.size) settling = setTimeout(settle, 600); }, { passive: true });
  }
  const refreshAll = () => { for (const region of document.querySelectorAll("[data-region]")) refresh(region); };
  Object.assign(window.spot, { refresh, refreshAll, merge, forgetRegions: () => digests.clear() });
})();
