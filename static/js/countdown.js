// [data-countdown] with data-deadline, data-start and (once over) data-ended: one timer drains them all, once a second.
// The text runs from "1 min 20 s" to "14 s over", then stays at "31 s to spare" or "overran by 14 s".
(() => {
  function words(ms) {
    const seconds = Math.floor(Math.abs(ms) / 1000);
    if (seconds < 60) return `${seconds} s`;
    const minutes = Math.floor(seconds / 60);
    if (minutes < 10) return `${minutes} min ${String(seconds % 60).padStart(2, "0")} s`;
    if (minutes < 60) return `${minutes} min`;
    const hours = Math.floor(minutes / 60);
    if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
    return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  }

  // Pure: what a countdown shows at `now`. `part` is what is left of the window, 0 to 1.
  function reading({ start, deadline, ended, now }) {
    if (ended) {
      const margin = deadline - ended;
      return margin >= 0
        ? { phase: "settled", tone: "muted", part: 0, text: `${words(margin)} to spare` }
        : { phase: "settled", tone: "danger", part: 0, text: `overran by ${words(margin)}` };
    }
    const left = deadline - now;
    if (left <= 0) return { phase: "over", tone: "danger", part: 0, text: `${words(left)} over` };
    const part = Math.min(1, left / Math.max(1, deadline - start));
    return { phase: "running", tone: part <= 0.25 ? "warn" : "neutral", part, text: words(left) };
  }

  function show(node, now) {
    const { start, deadline, ended } = node.dataset;
    const seen = reading({
      start: Date.parse(start), deadline: Date.parse(deadline), ended: Date.parse(ended) || 0, now,
    });
    if (node.dataset.phase !== seen.phase) node.dataset.phase = seen.phase;
    if (node.dataset.tone !== seen.tone) node.dataset.tone = seen.tone;
    const text = node.querySelector(".countdown-text");
    if (text && text.textContent !== seen.text) text.textContent = seen.text;
    const bar = node.querySelector("progress");
    if (bar) bar.value = Math.round(seen.part * 1000);
  }

  function showAll() {
    const now = spot.now();
    for (const node of document.querySelectorAll("[data-countdown]")) show(node, now);
  }

  let timer = 0;
  function beat() {
    clearTimeout(timer);
    if (document.hidden) return;
    showAll();
    timer = setTimeout(beat, 1000 - (spot.now() % 1000));
  }

  Object.assign(window.spot, { countdown: reading, durationWords: words });
  beat();
  document.addEventListener("spot:refreshed", showAll);
  document.addEventListener("visibilitychange", beat);
})();
