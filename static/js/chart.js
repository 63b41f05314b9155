// Draws charts once more with Plotly, for hover values and downloads, when they are in view and the browser is idle: the
// library keeps a slow phone busy for seconds. Without it the drawing of the server stays. Figures name colors of the style sheets, so a change of theme draws them anew.
(() => {
  const source = document.currentScript.dataset.plotly;
  const live = new Set();
  let library = null;

  const load = () => library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => { library = null; reject(new Error("Plotly did not load")); });
    document.head.append(script);
  });

  // Values of the style sheets: what an element with this color computes to.
  const probe = document.createElement("span");
  probe.hidden = true;
  const color = (name) => { probe.style.color = name; return getComputedStyle(probe).color; };
  const filled = (part) => {
    if (typeof part === "string") return part.startsWith("var(--") ? color(part) : part;
    if (Array.isArray(part)) return part.map(filled);
    if (part === null || typeof part !== "object") return part;
    return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, filled(value)]));
  };
  const figureOf = (chart) => {
    const figure = filled(JSON.parse(chart.querySelector("script[type='application/json']").textContent));
    figure.layout.font.family = getComputedStyle(chart).fontFamily;
    figure.layout.autosize = true;
    figure.config = { displayModeBar: false, responsive: true, doubleClick: false, showTips: false };
    return figure;
  };

  const draw = async (chart) => {
    const Plotly = await load();
    if (!chart.isConnected) return;
    const canvas = chart.querySelector("[data-chart-live]");
    if (!live.has(chart)) canvas.style.blockSize = `${Math.round(chart.querySelector("[data-chart-drawn]").offsetHeight)}px`;
    canvas.hidden = false;
    const { data, layout, config } = figureOf(chart);
    const ticks = layout.xaxis.tickvals;
    if (canvas.offsetWidth < 420 && ticks.length > 4) layout.xaxis.tickvals = ticks.filter((_, place) => (ticks.length - 1 - place) % 2 === 0);
    if (canvas.offsetWidth > 560) (layout.annotations ?? []).forEach((note) => { note.text = note.name ?? note.text; });
    await Plotly.react(canvas, data, layout, config);
    live.add(chart);
    chart.classList.add("is-live");
    const panel = chart.closest("section, article");
    if (panel) panel.querySelectorAll("[data-chart-menu]").forEach((part) => { part.hidden = false; });
  };

  const save = async (button) => {
    const chart = document.getElementById(button.dataset.chart);
    const Plotly = await load();
    const { data, layout } = figureOf(chart);
    const canvas = chart.querySelector("[data-chart-live]");
    layout.paper_bgcolor = color("var(--surface)");
    layout.title = { text: chart.dataset.title, x: 0, xref: "paper", y: 0.97, yanchor: "top", font: { size: 15, weight: 600, color: color("var(--ink)") } };
    layout.margin.t = 64;
    layout.width = Math.max(720, canvas.offsetWidth);
    layout.height = 400;
    layout.autosize = false;
    await Plotly.downloadImage({ data, layout }, { format: button.dataset.save, filename: chart.dataset.file, width: layout.width, height: layout.height, scale: 2 });
  };

  const forget = () => live.forEach((chart) => {
    if (chart.isConnected) return;
    window.Plotly.purge(chart.querySelector("[data-chart-live]"));
    live.delete(chart);
  });
  const again = () => { forget(); live.forEach(draw); };

  // Safari has no word for idle; by then most pages are.
  const idle = () => new Promise((done) => window.requestIdleCallback ? requestIdleCallback(done, { timeout: 5000 }) : setTimeout(done, 400));
  const waiting = new Set();
  const seen = new IntersectionObserver((entries) => entries.forEach(({ isIntersecting, target }) => {
    if (!isIntersecting) { waiting.delete(target); return; }
    if (waiting.has(target)) return;
    waiting.add(target);
    idle().then(() => {
      // Scrolled past meanwhile: it is asked for when it is in view again.
      if (!waiting.delete(target)) return null;
      seen.unobserve(target);
      return draw(target);
    }).catch((error) => console.info(error.message)); // Not reached: the drawing of the server says the same.
  }));
  const watch = (root) => root.querySelectorAll("[data-chart-figure]:not(.is-live)").forEach((chart) => seen.observe(chart));

  document.addEventListener("DOMContentLoaded", () => {
    document.body.append(probe);
    watch(document);
    document.body.addEventListener("htmx:load", (event) => { forget(); watch(event.detail.elt); });
    document.body.addEventListener("click", (event) => {
      const button = event.target.closest("[data-save]");
      if (!button) return;
      button.closest("[popover]")?.hidePopover();
      save(button).catch((error) => console.info(error.message));
    });
    new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  });
})();
