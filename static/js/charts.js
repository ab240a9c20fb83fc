// [data-chart="id"]: draws the plotly figure in <script type="application/json" id="…">. Colours are written "var(--series-1)"
// and resolved here, so charts follow the theme. plotly.js is fetched only by pages that hold a chart (<meta name="plotly">).
(() => {
  const drawn = new WeakMap();
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  let loading = null;

  function colour(name) {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  }

  function resolved(value) {
    if (typeof value === "string") return value.replace(/var\((--[a-z0-9-]+)\)/g, (_, name) => colour(name));
    if (Array.isArray(value)) return value.map(resolved);
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, resolved(part)]));
    return value;
  }

  function fetchPlotly() {
    loading ||= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = document.querySelector('meta[name="plotly"]').content;
      script.addEventListener("load", () => done(window.Plotly));
      script.addEventListener("error", () => { loading = null; failed(new Error("plotly.js did not load")); });
      document.head.append(script);
    });
    return loading;
  }

  const AXIS = { gridcolor: "var(--chart-grid)", linecolor: "var(--line-strong)", zerolinecolor: "var(--line-strong)", tickcolor: "var(--line-strong)",
    automargin: true, fixedrange: true };

  function themed(layout = {}) {
    const axes = Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key));
    const sides = Object.fromEntries([...new Set(["xaxis", "yaxis", ...axes])].map((key) => [key, { ...AXIS, ...layout[key] }]));
    return {
      margin: { l: 8, r: 8, t: 8, b: 8, pad: 4 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false,
      hovermode: "closest", bargap: 0.3, dragmode: false, ...layout, ...sides,
      font: { family: "Inter Variable, system-ui, sans-serif", size: 12, color: "var(--text-2)", ...layout.font },
      hoverlabel: { bgcolor: "var(--overlay)", bordercolor: "var(--line-strong)", font: { color: "var(--text)", family: "Inter Variable, sans-serif" }, ...layout.hoverlabel },
    };
  }

  async function draw(plot, isForced = false, size = {}) {
    const source = document.getElementById(plot.dataset.chart);
    if (!source || (!isForced && drawn.get(plot) === source.textContent)) return;
    drawn.set(plot, source.textContent);
    try {
      const Plotly = await fetchPlotly();
      const figure = JSON.parse(source.textContent);
      plot.querySelector(":scope > img")?.remove();
      const config = { displayModeBar: false, responsive: true, ...figure.config };
      await Plotly.react(plot, resolved(figure.data), { ...resolved(themed(figure.layout)), ...size }, config);
      plot.dataset.drawn = "";
    } catch (error) {
      plot.dataset.failed = error.message;
    }
  }

  const drawAll = (isForced) => { for (const plot of document.querySelectorAll("[data-chart]")) draw(plot, isForced); };
  const wide = new ResizeObserver((entries) => {
    for (const { target } of entries) if ("drawn" in target.dataset && target.clientWidth) window.Plotly.Plots.resize(target);
  });
  for (const plot of document.querySelectorAll("[data-chart]")) wide.observe(plot);

  // Paper is white and as wide as data-print-width says: charts are drawn for it, and drawn back afterwards.
  const root = document.documentElement;
  let themeOnScreen = null;
  addEventListener("beforeprint", () => {
    themeOnScreen = root.dataset.theme ?? "";
    root.dataset.theme = "light";
    for (const plot of document.querySelectorAll("[data-chart]")) {
      const sheet = plot.closest("[data-print-width]");
      const wider = sheet ? Number(sheet.dataset.printWidth) / sheet.clientWidth : 1;
      draw(plot, true, { width: plot.clientWidth * wider, height: plot.clientHeight });
    }
  });
  addEventListener("afterprint", () => {
    if (themeOnScreen) root.dataset.theme = themeOnScreen; else delete root.dataset.theme;
    drawAll(true);
  });

  drawAll();
  document.addEventListener("spot:refreshed", () => drawAll());
  document.addEventListener("spot:theme", () => drawAll(true));
})();
