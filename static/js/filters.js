// <form method="get" data-filters="oncall">: filters live in the URL and are remembered per name. A change rewrites the URL
// and refreshes the page's regions; with data-remember="cookie" it is a cookie of this page that the server reads. Without script the form's own button (class without-script) sends it.
// On a phone the choices fold behind a button "Filters (2)".
(() => {
  const form = document.querySelector("form[data-filters]");
  if (!form) return;
  const KEY = `spot.filters.${form.dataset.filters}`;
  const TYPING_MS = 250;
  const KEPT_S = 180 * 86400;
  let typing = 0;

  // Pure: the query without empty values.
  function query(entries) {
    const kept = new URLSearchParams();
    for (const [name, value] of entries) if (value !== "") kept.append(name, value);
    return kept.toString();
  }

  function remember(text) {
    for (const field of document.querySelectorAll("[data-filters-query]")) field.value = text;
    if (form.dataset.remember) {
      const secure = location.protocol === "https:" ? "; secure" : "";
      document.cookie = `${form.dataset.remember}=${text}; path=${location.pathname}; max-age=${text ? KEPT_S : 0}; samesite=lax${secure}`;
      return;
    }
    try { text ? localStorage.setItem(KEY, text) : localStorage.removeItem(KEY); } catch { /* private window */ }
  }

  function recall() {
    if (form.dataset.remember) return null; // the server did
    try { return localStorage.getItem(KEY); } catch { return null; }
  }

  // Pure: how many choices are not at their first option, and dates that are set.
  function chosen(fields) {
    return [...fields].filter((field) => (field.matches("select") ? field.selectedIndex > 0 : field.matches("[type='date']") && field.value)).length;
  }

  function fold() {
    if (![...form.elements].some((field) => field.matches("select, [type='date']"))) return;
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button filters-fold" });
    button.setAttribute("aria-expanded", "false");
    const count = () => { const n = chosen(form.elements); button.textContent = n ? `Filters (${n})` : "Filters"; };
    button.addEventListener("click", () => button.setAttribute("aria-expanded", String(form.classList.toggle("is-unfolded"))));
    form.addEventListener("change", count);
    const search = form.querySelector(".with-icon");
    search ? search.after(button) : form.prepend(button);
    count();
  }

  function apply() {
    const text = query(new FormData(form));
    remember(text);
    history.replaceState(null, "", text ? `?${text}` : location.pathname);
    for (const region of document.querySelectorAll("[data-region]:not([data-url])")) spot.refresh(region, true);
    for (const node of document.querySelectorAll("[data-filters-clear]")) node.hidden = !text;
  }

  Object.assign(window.spot, { filterQuery: query });
  if (!location.search && recall()) {
    location.replace(`${location.pathname}?${recall()}${location.hash}`);
    return;
  }
  const own = new Set([...form.elements].map((field) => field.name));
  if (!form.dataset.remember) remember(query([...new URLSearchParams(location.search)].filter(([name]) => own.has(name))));

  fold();
  form.addEventListener("change", apply);
  form.addEventListener("input", (event) => {
    if (!event.target.matches("input[type='search'], input[type='text']")) return;
    clearTimeout(typing);
    typing = setTimeout(apply, TYPING_MS);
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(typing); apply(); });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-filters-clear]")) remember(""); });
})();
