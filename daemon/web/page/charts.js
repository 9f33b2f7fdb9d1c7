// Line charts on canvas over the last three minutes. A null value is a gap: what is unknown is not drawn.
"use strict";

const SPAN_SECONDS = 180;

// drawChart draws one series.
//   points  [{age, value}], age in seconds before now, oldest first
//   options {low, high, ticks: [{at, text}], color, step, marks: [{at, text, color}], label}
function drawChart(canvas, points, options) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (width === 0) return;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const g = canvas.getContext("2d");
  g.scale(ratio, ratio);
  g.font = "12px " + getComputedStyle(document.body).fontFamily;
  g.textBaseline = "middle";

  const left = 8 + Math.max(...options.ticks.map((t) => g.measureText(t.text).width), 0);
  const box = { x: left, y: 8, w: width - left - 6, h: height - 32 };
  const x = (age) => box.x + box.w * (1 - age / SPAN_SECONDS);
  const y = (v) => box.y + box.h * (1 - (v - options.low) / (options.high - options.low));

  g.lineWidth = 1;
  for (const tick of options.ticks) {
    g.strokeStyle = color("--line");
    line(g, [[box.x, y(tick.at)], [box.x + box.w, y(tick.at)]]);
    g.fillStyle = color("--soft");
    g.textAlign = "right";
    g.fillText(tick.text, box.x - 6, y(tick.at));
  }
  g.textBaseline = "alphabetic";
  for (const minutes of [3, 2, 1, 0]) {
    g.textAlign = minutes === 3 ? "left" : minutes === 0 ? "right" : "center";
    g.fillStyle = color("--soft");
    g.fillText(minutes === 0 ? "now" : "−" + minutes + " min", x(minutes * 60), height - 6);
  }
  g.save();
  g.beginPath();
  g.rect(box.x, box.y - 3, box.w + 2, box.h + 6);
  g.clip();
  g.strokeStyle = color(options.color);
  g.lineWidth = 2;
  g.lineJoin = g.lineCap = "round";
  for (const run of runs(points)) {
    const path = [];
    run.forEach((p, i) => {
      if (options.step && i > 0) path.push([x(p.age), y(run[i - 1].value)]);
      path.push([x(p.age), y(p.value)]);
    });
    if (path.length === 1) path.push([path[0][0] + 1, path[0][1]]);
    line(g, path);
  }
  g.restore();
  for (const mark of options.marks || []) {
    g.lineWidth = 1;
    g.strokeStyle = g.fillStyle = color(mark.color);
    g.setLineDash([5, 4]);
    line(g, [[box.x, y(mark.at)], [box.x + box.w, y(mark.at)]]);
    g.setLineDash([]);
    g.textAlign = "left";
    g.lineWidth = 5;
    g.strokeStyle = color("--card"); // keeps the text legible over the series
    g.strokeText(mark.text, box.x + 4, y(mark.at) - 5);
    g.fillText(mark.text, box.x + 4, y(mark.at) - 5);
  }
  canvas.setAttribute("aria-label", options.label);
}

function line(g, path) {
  g.beginPath();
  path.forEach(([px, py], i) => (i ? g.lineTo(px, py) : g.moveTo(px, py)));
  g.stroke();
}

// runs cuts a series at its gaps.
function runs(points) {
  const list = [];
  let run = [];
  for (const p of points) {
    if (p.value === null || (run.length && run[run.length - 1].age - p.age > 5)) {
      if (run.length) list.push(run);
      run = [];
    }
    if (p.value !== null) run.push(p);
  }
  if (run.length) list.push(run);
  return list;
}

// niceScale returns bounds and about four round ticks around the values.
function niceScale(values, minimumSpan, text) {
  let low = Math.min(...values), high = Math.max(...values);
  if (!values.length) [low, high] = [0, minimumSpan];
  const middle = (low + high) / 2, half = Math.max((high - low) / 2, minimumSpan / 2) * 1.15;
  [low, high] = [low >= 0 ? Math.max(middle - half, 0) : middle - half, middle + half];
  const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  [low, high] = [Math.floor(low / step) * step, Math.ceil(high / step) * step];
  const ticks = [];
  for (let i = 0; i <= Math.round((high - low) / step); i++) {
    const at = low + i * step;
    ticks.push({ at, text: text(at, step) });
  }
  return { low, high, ticks };
}
