// The page of one target: live, with a plot that can be zoomed.
import { follow } from "./live.js";
import { refresh } from "./reload.js";

const name = decodeURIComponent(document.body.dataset.target);
let is = document.body.dataset.is;

follow((target) => {
  if (target.name !== name) return;
  is = `${target.state} ${target.cause ?? ""} ${target.hard}`;
  refresh();
}, (incident) => { if (incident.target === name) refresh(); }, refresh);

const LAYERS = ["port", "tls", "service", "function", "host"];
const colour = (word) => getComputedStyle(document.documentElement).getPropertyValue(word).trim();
const colours = () => ({
  port: colour("--plot-1"), tls: colour("--plot-2"), service: colour("--plot-3"), function: colour("--plot-4"), host: colour("--plot-5"),
});

async function draw() {
  const place = document.getElementById("plot");
  if (!place || !globalThis.uPlot) return;
  const until = Date.now();
  const since = new Date(until - Number(place.dataset.seconds) * 1000).toISOString();
  const answer = await fetch(`/api/v1/targets/${encodeURIComponent(name)}/history?since=${since}&until=${new Date(until).toISOString()}`);
  if (!answer.ok) return;
  const { points, step_s: step } = await answer.json();
  const layers = LAYERS.filter((layer) => points.some((point) => point.layers[layer]));
  if (points.length < 2 || !layers.length) return;
  const at = points.map((point) => Date.parse(point.at) / 1000);
  const series = [{}];
  const data = [at];
  const of = colours();
  const shown = (_, value) => (value === null || value === undefined ? "–" : value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(value < 10 ? 2 : 0)} ms`);
  for (const layer of layers) {
    for (const [word, dash, width] of [["p50", [], 1.8], ["p95", [5, 4], 1.2]]) {
      series.push({ label: `${layer} ${word}`, stroke: of[layer], dash, width, value: shown, spanGaps: false, points: { show: false } });
      data.push(points.map((point) => point.layers[layer]?.[`${word}_ms`] ?? null));
    }
  }
  const shade = (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    points.forEach((point, place) => {
      if (point.state === "up") return;
      const left = plot.valToPos(at[place], "x", true);
      const right = plot.valToPos(at[place] + step, "x", true);
      ctx.fillStyle = colour(`--${point.state}-tint`);
      ctx.fillRect(left, bbox.top, Math.max(1, right - left), bbox.height);
    });
    ctx.restore();
  };
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
  const size = () => ({ width: Math.max(260, place.clientWidth), height: 240 });
  const note = document.createElement("p");
  note.className = "soft";
  note.textContent = "Shaded: not up. Drag to look closer, double click for all.";
  place.dataset.drawn = "yes";
  place.replaceChildren();
  const plot = new uPlot({
    ...size(), series, hooks: { drawClear: [shade] },
    axes: [axis, { ...axis, values: (_, ticks) => ticks.map((one) => (one >= 1000 ? `${one / 1000} s` : `${one} ms`)), size: 64 }],
    scales: { y: { range: (_, least, most) => [0, most * 1.08 || 1] } },
  }, data, place);
  place.append(note);
  new ResizeObserver(() => plot.setSize(size())).observe(place);
  addEventListener("themed", () => { plot.destroy(); draw(); }, { once: true });
}
draw();
