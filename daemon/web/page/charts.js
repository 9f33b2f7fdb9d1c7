// Charts of one span of the history, with uPlot. A null value is a gap: what is unknown is not drawn.
"use strict";

const SPANS = {
  minutes: { seconds: 180, period: 1000, words: "3 minutes" },
  hour: { seconds: 3600, period: 5000, words: "hour" },
  day: { seconds: 86400, period: 30000, words: "day" },
};

const round = (digits) => (v) => v.toFixed(digits).replace("-", "−");

// What each chart shows: color, text of a value, least height of the scale, and whether it is left out while nothing is known.
const CHARTS = {
  rung: { color: "--accent", text: (v) => variants[Math.round(v)] || "", step: true },
  celsius: { color: "--heat", text: (v) => round(1)(v) + " °C", least: 10, mark: () => ceiling && { at: ceiling, text: "ceiling " + round(0)(ceiling) + " °C" } },
  latency_ms: { color: "--accent", text: (v) => round(v < 10 ? 2 : 1)(v) + " ms", least: 0.5, zero: true },
  charge_percent: { color: "--good", text: (v) => round(0)(v) + " %", least: 10, optional: true },
  accuracy: { color: "--good", text: (v) => round(0)(100 * v) + " %", least: 0.2, most: 1, optional: true },
};

let plots = {}, variants = [], ceiling = 0, drawnSpan = "";

// drawCharts shows a span as /api/history gives it; names are the variants, limit the ceiling in °C or 0.
function drawCharts(history, names, limit) {
  if (names.join() !== variants.join() || history.span !== drawnSpan) dropCharts();
  [variants, ceiling, drawnSpan] = [names, limit, history.span];
  const now = Date.now() / 1000;
  const times = history.age_s.map((age) => now - age);
  for (const [name, chart] of Object.entries(CHARTS)) {
    const values = history[name], known = values.filter((v) => v !== null);
    const box = document.getElementById("chart-" + name);
    box.parentNode.hidden = chart.optional && !known.length;
    if (box.parentNode.hidden) continue;
    box.setAttribute("aria-label", describe(chart, values, known, history.span));
    const data = cutAtGaps(times, values, history.step_s);
    if (!plots[name]) plots[name] = new uPlot(plotOptions(name, chart, box), data, box);
    plots[name].setData(data, false);
    plots[name].setScale("x", { min: now - SPANS[history.span].seconds, max: now });
  }
}

// dropCharts lets them be made anew: in other colors, or with other scales.
function dropCharts() {
  for (const p of Object.values(plots)) p.destroy();
  plots = {};
}

function describe(chart, values, known, span) {
  if (!known.length) return "nothing known in the last " + SPANS[span].words;
  const last = values[values.length - 1];
  return `now ${last === null ? "unknown" : chart.text(last)}; in the last ${SPANS[span].words} ` +
    `from ${chart.text(Math.min(...known))} to ${chart.text(Math.max(...known))}`;
}

// cutAtGaps puts an unknown value where points are missing, so that no line is drawn over it.
function cutAtGaps(times, values, step) {
  const x = [], y = [];
  times.forEach((t, i) => {
    if (i && t - times[i - 1] > 4 * step) {
      x.push((t + times[i - 1]) / 2);
      y.push(null);
    }
    x.push(t);
    y.push(values[i]);
  });
  return [x, y];
}

function plotOptions(name, chart, box) {
  const style = getComputedStyle(document.documentElement);
  const color = (variable) => style.getPropertyValue(variable).trim();
  const font = "12px " + getComputedStyle(document.body).fontFamily;
  const axis = { stroke: color("--soft"), font, grid: { stroke: color("--line"), width: 1 }, ticks: { show: false } };
  const y = { ...axis, size: name === "rung" ? 66 : 62, gap: 4, values: (_, ticks) => ticks.map(chart.text) };
  if (name === "rung") y.splits = () => variants.map((_, i) => i);
  return {
    width: box.clientWidth,
    height: 168,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: true, auto: false }, y: { range: (_, low, high) => scale(name, chart, low, high) } },
    axes: [{ ...axis, size: 28, space: 84, values: (_, ticks) => ticks.map((t) => clock(t)) }, y],
    series: [{}, { stroke: color(chart.color), width: 2, points: { show: false }, paths: chart.step ? uPlot.paths.stepped({ align: 1 }) : undefined }],
    hooks: {
      draw: [(u) => drawMark(u, chart.mark && chart.mark(), color("--bad"), font)],
      setCursor: [(u) => readOut(u, name, chart)],
    },
  };
}

// scale puts some air around the values.
function scale(name, chart, low, high) {
  if (name === "rung") return [-0.4, Math.max(variants.length - 0.6, 0.4)];
  if (low === null) [low, high] = [0, chart.least];
  const mark = chart.mark && chart.mark();
  if (mark) [low, high] = [Math.min(low, mark.at), Math.max(high, mark.at)];
  const middle = (low + high) / 2, half = Math.max((high - low) / 2, chart.least / 2) * 1.15;
  return [chart.zero ? 0 : Math.max(middle - half, low >= 0 ? 0 : -Infinity), chart.most ? Math.min(middle + half, chart.most) : middle + half];
}

function clock(seconds) {
  const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (drawnSpan === "minutes") options.second = "2-digit";
  return new Date(seconds * 1000).toLocaleTimeString([], options);
}

function drawMark(u, mark, color, font) {
  if (!mark) return;
  const { left, width } = u.bbox, y = u.valToPos(mark.at, "y", true), g = u.ctx, ratio = devicePixelRatio;
  g.save();
  g.strokeStyle = g.fillStyle = color;
  g.lineWidth = ratio;
  g.setLineDash([5 * ratio, 4 * ratio]);
  g.beginPath();
  g.moveTo(left, y);
  g.lineTo(left + width, y);
  g.stroke();
  g.font = font.replace("12px", 12 * ratio + "px");
  g.textAlign = "left";
  g.fillText(mark.text, left + 4 * ratio, y - 5 * ratio);
  g.restore();
}

// readOut tells the value under the pointer.
function readOut(u, name, chart) {
  const i = u.cursor.idx, v = i === null || i === undefined ? undefined : u.data[1][i];
  document.getElementById("read-" + name).textContent =
    v === undefined ? "" : `${clock(u.data[0][i])}: ${v === null ? "unknown" : chart.text(v)}`;
}

function resizeCharts() {
  for (const [name, p] of Object.entries(plots)) p.setSize({ width: document.getElementById("chart-" + name).clientWidth, height: 168 });
}
