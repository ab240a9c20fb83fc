// Asks the browser to keep the offline page (<meta name="offline-worker">), and goes back to the page once the console answers.
(() => {
  const worker = document.querySelector('meta[name="offline-worker"]')?.content;
  if (worker && "serviceWorker" in navigator) navigator.serviceWorker.register(worker).catch(() => { /* plain http: no worker */ });

  if (!document.querySelector("[data-offline]")) return;
  const again = async () => {
    const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
    if (answer?.ok && location.pathname !== "/offline/") location.reload();
  };
  addEventListener("online", again);
  setInterval(again, 5000);
})();
