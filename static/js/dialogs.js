// Dialogs: [data-dialog="id"] opens one, [data-close] and a click beside it close it. A form or button with
// data-confirm="Question?" (data-confirm-title, data-confirm-yes, data-confirm-tone="danger") asks in #confirm; so does hx-confirm.
// A dialog[data-opens] that htmx brings is shown at once; a form[data-closes] closes its own when it was answered.
(() => {
  const asking = document.getElementById("confirm");

  function ask(question, { confirmTitle = "Are you sure?", confirmYes = "Confirm", confirmTone = "" } = {}) {
    asking.querySelector("[data-confirm-title]").textContent = confirmTitle;
    asking.querySelector("[data-confirm-text]").textContent = question;
    const yes = asking.querySelector("[data-confirm-yes]");
    yes.textContent = confirmYes;
    yes.className = `button ${confirmTone === "danger" ? "danger" : "primary"}`;
    asking.returnValue = "";
    asking.showModal();
    return new Promise((answer) => {
      asking.addEventListener("close", () => answer(asking.returnValue === "yes"), { once: true });
    });
  }

  if (asking) window.spot = Object.assign(window.spot || {}, { ask });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.dialog);
      if (dialog && !dialog.open) {
        event.preventDefault();
        dialog.showModal();
        dialog.dispatchEvent(new CustomEvent("spot:opened"));
      }
    }
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
    if (event.target.matches("dialog")) { // the ground beside the box belongs to the dialog element
      const box = event.target.getBoundingClientRect();
      const isBeside = event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
      if (isBeside && event.detail) event.target.close();
    }
  });

  document.addEventListener("htmx:afterSettle", () => {
    for (const brought of document.querySelectorAll("dialog[data-opens]")) {
      brought.removeAttribute("data-opens");
      brought.removeAttribute("open");
      brought.showModal();
    }
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.target.matches("form[data-closes]")) event.target.closest("dialog")?.close();
  });

  if (!asking) return;
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const source = event.submitter?.dataset.confirm ? event.submitter : form;
    if (!source.dataset?.confirm || form.dataset.confirmed) { delete form.dataset.confirmed; return; }
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!(await ask(source.dataset.confirm, source.dataset))) return;
    form.dataset.confirmed = "yes";
    form.requestSubmit(event.submitter);
  }, true);

  document.addEventListener("htmx:confirm", async (event) => {
    if (!event.detail.question) return;
    event.preventDefault();
    if (await ask(event.detail.question, event.detail.elt.dataset)) event.detail.issueRequest(true);
  });
})();
