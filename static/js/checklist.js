// A runbook checklist (#checklist, a region): what an act answers is merged, so that nothing jumps, folds or loses the focus.
// After a tick or a skip the step folds and the next open one unfolds; nothing else ever does.
(() => {
  function follow(list, form) {
    const step = form.closest("li");
    const detail = document.getElementById(`${step.id}-detail`);
    if (!detail || step.dataset.state === "open") return;
    detail.open = false;
    const next = list.querySelector('li[data-state="open"] > details');
    if (next && !list.querySelector('li[data-state="open"] > details[open]')) next.open = true;
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, xhr, requestConfig } = event.detail;
    if (target.id !== "checklist" || ![200, 422].includes(xhr.status)) return;
    event.detail.shouldSwap = false;
    const form = requestConfig.elt;
    if (xhr.status === 200) form.reset();
    const { act } = requestConfig.parameters;
    const id = form.id;
    spot.merge(target, xhr.responseText, true);
    const shown = document.getElementById("checklist");
    const merged = document.getElementById(id);
    if (shown && merged && (act === "tick" || act === "skip")) follow(shown, merged);
  });
})();
