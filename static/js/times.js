// <time data-time="relative|clock|seconds|day" datetime="…">. Relative times move; the others are set in the
// browser's zone when the server knows no zone of the reader (no data-time-zone on <html>).
(() => {
  const zone = document.documentElement.dataset.timeZone;
  const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

  function relative(at, now) {
    const apart = Math.round((now - at) / 1000);
    const far = Math.abs(apart);
    if (far < 5) return "just now";
    const [size, name] = UNITS.find(([seconds]) => far >= seconds);
    const words = `${Math.floor(far / size)} ${name}`;
    return apart > 0 ? `${words} ago` : `in ${words}`;
  }

  function parts(at, timeZone, style) {
    const options = { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    if (style === "seconds") options.second = "2-digit";
    if (style === "day" || style === "relative") Object.assign(options, { day: "numeric", month: "short" });
    return new Intl.DateTimeFormat("en-GB", options).format(at).replace(",", "");
  }

  function zoneName(at) {
    const found = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" }).formatToParts(at);
    return found.find((part) => part.type === "timeZoneName").value.replace("GMT", "UTC");
  }

  function both(at, style) {
    const here = parts(at, undefined, style);
    const there = parts(at, "UTC", style);
    if (here === there) return `${there} UTC`;
    const sameDay = here.split(" ").length < 2 || here.split(" ")[0] === there.split(" ")[0];
    return `${here} ${zoneName(at)} · ${sameDay ? there.split(" ").pop() : there}Z`;
  }

  function show(node, now) {
    const at = Date.parse(node.dateTime);
    if (Number.isNaN(at)) return;
    const style = node.dataset.time;
    if (!zone) node.title = both(at, style);
    const text = style === "relative" ? relative(at, now) : zone ? node.textContent : node.title;
    if (node.textContent !== text) node.textContent = text;
  }

  // What is told rarely turns amber and red by itself: nothing announces that nothing comes any more.
  function age(node, now) {
    const seconds = (now - Date.parse(node.dataset.ages)) / 1000;
    const { warnAfter, dangerAfter } = node.dataset;
    const tone = seconds > dangerAfter ? "danger" : seconds > warnAfter ? "warn" : "";
    if (tone) node.parentElement.dataset.tone = tone;
  }

  function tick() {
    const now = spot.now();
    for (const node of document.querySelectorAll("[data-ages]")) age(node, now);
    const which = "time[data-time]";
    for (const node of document.querySelectorAll(which)) show(node, now);
  }

  Object.assign(window.spot, { relative });
  tick();
  document.addEventListener("spot:refreshed", tick);
  document.addEventListener("visibilitychange", () => document.hidden || tick());
  setInterval(() => document.hidden || tick(), 5000);
})();
