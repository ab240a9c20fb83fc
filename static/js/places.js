// Places: an address with #id, or ?at=id where a fragment would not survive a sign-in, opens with the focus there:
// what is folded round it unfolds, a row is the current one. A group that the list does not hold opens on its own page.
(() => {
  function unfold(node) {
    for (let at = node; at; at = at.parentElement) {
      if (at.matches("details")) at.open = true;
      if (at.matches("[data-detail][hidden]")) document.querySelector(`[data-expand="${at.id}"]`)?.click();
    }
  }

  function go() {
    const place = location.hash.slice(1) || new URLSearchParams(location.search).get("at") || "";
    const node = place && document.getElementById(place);
    if (node) {
      unfold(node);
      const target = node.matches("[data-key]") ? node.querySelector("[data-open]") : node;
      if (!target.matches("a, button, input, textarea, select, [tabindex]")) target.setAttribute("tabindex", "-1");
      target.focus({ preventScroll: true });
      node.scrollIntoView({ block: "center" });
      return;
    }
    const group = /^group-(\d+)$/.exec(place);
    if (group && document.querySelector("[data-rows='groups'], #groups, #group-table")) location.replace(`/alerts/${group[1]}/`);
  }

  addEventListener("hashchange", go);
  addEventListener("load", () => setTimeout(go)); // after the browser itself went to the fragment and let go of the focus
})();
