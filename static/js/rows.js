// Rows: [data-expand="id"] opens the [data-detail] row of that id in place (fetching the lazy regions in it);
// [data-select] checkboxes, also a range with shift; [data-select-all] over those of its table; and a [data-bulk] bar
// shown while any are ticked. "spot:untick" and [data-select-none] untick all.
(() => {
  const boxes = (scope = document) => [...scope.querySelectorAll("[data-select]")];
  const shown = (scope) => boxes(scope).filter((box) => box.getClientRects().length);
  let last = null; // the box that was ticked last, from which shift-click reaches

  function expand(control) {
    const detail = document.getElementById(control.dataset.expand);
    if (!detail) return;
    detail.hidden = !detail.hidden;
    control.setAttribute("aria-expanded", String(!detail.hidden));
    if (detail.hidden) { // nothing stays ticked that is not seen
      for (const box of boxes(detail)) box.checked = false;
      return countSelected();
    }
    for (const lazy of detail.querySelectorAll("[data-region][data-lazy]:not([data-loaded])")) {
      lazy.dataset.loaded = "";
      spot.refresh(lazy, true);
    }
  }

  function countSelected() {
    const ticked = boxes().filter((box) => box.checked).length;
    for (const bar of document.querySelectorAll("[data-bulk]")) {
      bar.hidden = ticked === 0;
      const text = bar.querySelector("[data-bulk-count]");
      if (text) text.textContent = `${ticked} selected`;
    }
    for (const all of document.querySelectorAll("[data-select-all]")) {
      const mine = shown(all.closest("table") || document);
      const count = mine.filter((box) => box.checked).length;
      all.checked = mine.length > 0 && count === mine.length;
      all.indeterminate = count > 0 && count < mine.length;
    }
  }

  function untick() {
    for (const box of boxes()) box.checked = false;
    last = null;
    countSelected();
  }

  // All boxes between the last one that was ticked and this one become as this one is.
  function reach(box) {
    const all = shown();
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    if (from < 0) return;
    for (const one of all.slice(from, to + 1)) one.checked = box.checked;
  }

  document.addEventListener("click", (event) => {
    const control = event.target.closest("[data-expand]");
    if (control && !event.metaKey && !event.ctrlKey) {
      event.preventDefault();
      expand(control);
    }
    if (event.target.closest("[data-select-none]")) untick();
    const box = event.target.closest("[data-select]");
    if (!box) return;
    if (event.shiftKey && last?.isConnected && last !== box) reach(box);
    last = box;
    countSelected();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-all]")) {
      for (const box of shown(event.target.closest("table") || document)) box.checked = event.target.checked;
    }
    if (event.target.matches("[data-select], [data-select-all]")) countSelected();
  });
  document.addEventListener("spot:untick", untick);
  document.addEventListener("spot:refreshed", countSelected);
  countSelected();
})();
