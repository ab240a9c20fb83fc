// The server's clock, as near as the browser can tell. Countdowns must not follow a laptop that is a minute off.
(() => {
  const TRUSTED_MS = 2000;
  let skew = 0;

  function hear(serverTime, at = Date.now()) {
    const said = Date.parse(serverTime);
    if (Number.isNaN(said)) return;
    const apart = said + 500 - at; // whole seconds were said: take the middle
    skew = Math.abs(apart) > TRUSTED_MS ? apart : 0;
  }

  const page = performance.getEntriesByType("navigation")[0];
  const arrived = page && page.responseStart ? performance.timeOrigin + page.responseStart : Date.now();
  hear(document.documentElement.dataset.now, arrived);

  window.spot = Object.assign(window.spot || {}, { now: () => Date.now() + skew, hearTime: hear });
})();
