// Rows: [data-expand="id"] opens the [data-detail] row of that id in place (fetching a lazy region in it);
// [data-select] checkboxes, [data-select-all] over them, and a [data-bulk] bar shown while any are ticked.
(() => {
  function expand(control) {
    const detail = document.getElementById(control.dataset.expand);
    if (!detail) return;
    detail.hidden = !detail.hidden;
    control.setAttribute("aria-expanded", String(!detail.hidden));
    const lazy = detail.querySelector("[data-region][data-lazy]:not([data-loaded])");
    if (lazy && !detail.hidden) {
      lazy.dataset.loaded = "";
      spot.refresh(lazy, true);
    }
  }

  function countSelected() {
    const ticked = document.querySelectorAll("[data-select]:checked").length;
    for (const bar of document.querySelectorAll("[data-bulk]")) {
      bar.hidden = ticked === 0;
      const text = bar.querySelector("[data-bulk-count]");
      if (text) text.textContent = `${ticked} selected`;
    }
    const all = document.querySelector("[data-select-all]");
    if (!all) return;
    const boxes = document.querySelectorAll("[data-select]").length;
    all.checked = boxes > 0 && ticked === boxes;
    all.indeterminate = ticked > 0 && ticked < boxes;
  }

  document.addEventListener("click", (event) => {
    const control = event.target.closest("[data-expand]");
    if (control && !event.metaKey && !event.ctrlKey) {
      event.preventDefault();
      expand(control);
    }
    if (event.target.closest("[data-select-none]")) {
      for (const box of document.querySelectorAll("[data-select]:checked")) box.checked = false;
      countSelected();
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-all]")) {
      for (const box of document.querySelectorAll("[data-select]")) box.checked = event.target.checked;
    }
    if (event.target.matches("[data-select], [data-select-all]")) countSelected();
  });
  document.addEventListener("spot:refreshed", countSelected);
  countSelected();
})();
