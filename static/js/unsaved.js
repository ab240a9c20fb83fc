// <form data-unsaved> asks before the page is left with changes that were not saved. Its own buttons leave without asking.
(() => {
  let isChanged = false;
  document.addEventListener("input", (event) => { if (event.target.closest("form[data-unsaved]")) isChanged = true; });
  document.addEventListener("htmx:afterSwap", (event) => { if (event.target.closest("form[data-unsaved]") && event.target.matches("form")) isChanged = true; });
  document.addEventListener("submit", (event) => { if (event.target.matches("form[data-unsaved]")) isChanged = false; });
  addEventListener("beforeunload", (event) => { if (isChanged) event.preventDefault(); });
})();
