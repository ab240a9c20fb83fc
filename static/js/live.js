// data-live="/live/?topics=…" on <main>: the stream says what changed, the regions whose data-topics name it are fetched.
// Events: "refresh" (everything) and "changed" or unnamed with {"topics": […], "ids": […]}. Without the stream: every 5 s.
// At once after a quiet moment; in a storm at most once in 250 ms, or in the milliseconds of the region's data-spacing,
// and never more than half of the time.
// [data-live-state] is the button that shows how it stands and pauses; `.` presses it. A hidden tab does nothing, unless [data-live-always].
(() => {
  const page = document.querySelector("[data-live]");
  if (!page) return;
  const POLL_MS = 5000;
  const SPACING_MS = 250;
  const STATES = {
    live: ["neutral", "Live"], joining: ["muted", "Connecting"], polling: ["warn", "No stream, polling every 5 s"],
    paused: ["info", "Paused"], stale: ["danger", "Not updating"],
  };
  let source = null;
  let poll = 0;
  let reopen = 0;
  let isPaused = false;
  const TOGETHER_MS = 60; // what falls due so soon after another goes with it
  const due = new Map(); // region -> when it may be fetched
  let departure = 0;
  let trip = 0; // how long the last one took
  const begun = new WeakMap(); // region -> when it was last fetched

  const isAsleep = () => document.hidden && !("liveAlways" in page.dataset);

  function state(name) {
    for (const node of document.querySelectorAll("[data-live-state]")) {
      [node.dataset.tone, node.textContent] = STATES[name];
      node.dataset.liveState = name;
      node.setAttribute("aria-pressed", String(isPaused));
    }
  }

  function schedule(region) {
    if (due.has(region)) return;
    const spacing = Math.max(Number(region.dataset.spacing) || SPACING_MS, 2 * trip);
    due.set(region, Math.max(performance.now(), (begun.get(region) ?? -spacing) + spacing));
    plan();
  }

  function plan() {
    clearTimeout(departure);
    if (due.size) departure = setTimeout(depart, Math.max(0, Math.min(...due.values()) - performance.now()));
  }

  async function depart() {
    const now = performance.now();
    const regions = [...due].filter(([, at]) => at <= now + TOGETHER_MS).map(([region]) => region);
    for (const region of regions) {
      due.delete(region); // what changes from here on asks again
      begun.set(region, now);
    }
    plan();
    await Promise.all(regions.map((region) => spot.refresh(region)));
    trip = Math.min(performance.now() - now, POLL_MS);
    if (isPaused) return;
    if (document.querySelector("[data-region][data-stale]")) state("stale");
    else if (document.querySelector('[data-live-state="stale"]')) state(poll ? "polling" : "live");
  }

  function changed(topics) {
    for (const region of document.querySelectorAll("[data-region]")) {
      const own = (region.dataset.topics || "").split(" ");
      if (!topics || topics.some((topic) => own.includes(topic))) schedule(region);
    }
  }

  function heard(event) {
    let told = {};
    try { told = JSON.parse(event.data || "{}"); } catch { told = {}; }
    changed(Array.isArray(told.topics) ? told.topics : null);
  }

  function startPolling() {
    if (poll) return;
    state("polling");
    poll = setInterval(() => changed(null), POLL_MS);
  }

  function stopPolling() { clearInterval(poll); poll = 0; }

  function close() {
    clearTimeout(departure);
    due.clear();
    source?.close();
    source = null;
    clearTimeout(reopen);
    stopPolling();
  }

  function open() {
    close();
    if (isPaused || isAsleep()) return;
    state("joining");
    source = new EventSource(page.dataset.live);
    source.addEventListener("open", () => { stopPolling(); state("live"); });
    source.addEventListener("refresh", () => changed(null));
    source.addEventListener("changed", heard);
    source.addEventListener("message", heard);
    source.addEventListener("error", () => {
      startPolling();
      if (source.readyState === EventSource.CLOSED) reopen = setTimeout(open, POLL_MS * 3);
    });
  }

  function pause(wanted) {
    isPaused = wanted;
    if (wanted) { close(); state("paused"); } else { open(); changed(null); }
  }

  document.addEventListener("click", (event) => { if (event.target.closest("[data-live-state]")) pause(!isPaused); });
  document.addEventListener("visibilitychange", () => {
    if (isAsleep()) close();
    else if (!isPaused && !document.hidden) { if (!source) open(); changed(null); }
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  open();
})();
