// htmx: the CSRF header, words for every failure, and aria-busy while a target waits.
(() => {
  const say = (text, tone = "danger") =>
    document.dispatchEvent(new CustomEvent("spot:toast", { detail: { text, tone } }));

  const FAILURES = {
    400: "The console did not understand that. Reload the page and try again.",
    401: "You were signed out. Reload the page to sign in; nothing was changed.",
    403: "You may not do that, or the page is too old. Reload it; if it still fails, ask an administrator for the role.",
    404: "That is no longer there. Reload the page.",
    409: "Somebody else changed it first. Reload to see where it stands, then try again.",
    413: "That is too large to send. The limit is 1 MiB.",
    429: "Too many requests. Wait a few seconds and try again.",
    503: "The console is starting or its database cannot be reached. Nothing was changed; try again in a minute.",
  };

  // What was opened before htmx listened is told again.
  addEventListener("load", () => {
    for (const open of document.querySelectorAll("details[open]")) open.dispatchEvent(new Event("toggle"));
  });

  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.querySelector('meta[name="csrf-token"]');
    if (token) event.detail.headers["X-CSRFToken"] = token.content;
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    if (xhr.status === 422) { // a form comes back with its errors
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });

  document.addEventListener("htmx:responseError", (event) => {
    const { status } = event.detail.xhr;
    say(FAILURES[status] || `The console failed (${status}). Nothing was lost; try again, and report it if it goes on.`);
  });
  document.addEventListener("htmx:sendError", () => say("The console cannot be reached. Check your connection and try again."));
  document.addEventListener("htmx:timeout", () => say("The console took too long to answer. Try again."));

  document.addEventListener("htmx:beforeRequest", (event) => event.detail.target.setAttribute("aria-busy", "true"));
  document.addEventListener("htmx:afterRequest", (event) => {
    event.detail.target.removeAttribute("aria-busy");
    if (event.detail.successful && event.target.matches("form[data-reset]")) event.target.reset();
  });
  document.addEventListener("htmx:afterSettle", (event) =>
    event.target.dispatchEvent(new CustomEvent("spot:refreshed", { bubbles: true })));
})();
