// Shows /api/state five times a second, /frame.jpg with every new frame and /api/history once a second.
"use strict";

const STATE_PERIOD_MS = 200, HISTORY_PERIOD_MS = 1000, RETRY_PERIOD_MS = 2000;
const byId = (id) => document.getElementById(id);
let state = null, points = [], shownFrame = null;

const percent = (p) => (p >= 0.995 && p < 1 ? "> 99" : Math.round(p * 100)) + " %";
const fixed = (v, digits) => v.toFixed(digits).replace("-", "−");
const millis = (v) => fixed(v, v < 10 ? 2 : v < 100 ? 1 : 0);

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// make returns an element with a class and content: text or elements.
function make(tag, className, ...content) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...content);
  return node;
}

// fill replaces the content of a node only if its key changed, so that a screen reader is left in peace.
function fill(node, key, build) {
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  node.replaceChildren(...build());
}

async function get(path) {
  const answer = await fetch(path, { cache: "no-store" });
  if (!answer.ok) throw new Error(path + ": " + answer.status);
  return answer.json();
}

// repeat runs a task for ever, a period after it last ended.
async function repeat(task, period) {
  for (;;) {
    let pause = period;
    try {
      await task();
    } catch (e) {
      pause = RETRY_PERIOD_MS;
      offline();
    }
    await new Promise((done) => setTimeout(done, document.hidden ? Math.max(pause, 1000) : pause));
  }
}

function offline() {
  byId("health").className = "degraded";
  setText(byId("health-word"), "no connection to fathomd");
}

async function refresh() {
  state = await get("api/state");
  showHeader();
  showAnswer();
  showLadder();
  showSensors();
  const frame = state.frame;
  if (frame && frame.captured !== shownFrame && (await showPicture())) shownFrame = frame.captured;
}

async function refreshHistory() {
  const since = points.length ? points[points.length - 1].n + 1 : 0;
  let news = await get("api/history?since=" + since);
  if (state && points.length && state.history_next < since) {
    points = []; // the daemon started again
    news = await get("api/history");
  }
  points = points.concat(news).slice(-SPAN_SECONDS);
  showCharts();
}

function showHeader() {
  const ok = state.health.status === "ok";
  byId("health").className = state.health.status;
  setText(byId("health-word"), ok ? "running" : "degraded");
  setText(byId("origin"), state.bundle + " on " + (state.board ? state.board.board : "this board"));
  const reasons = byId("reasons");
  reasons.hidden = ok;
  fill(reasons, state.health.reasons.join("\n"), () => state.health.reasons.map((r) => make("li", "", r)));
  const s = state.simulated, banner = byId("simulated");
  banner.hidden = !s;
  if (s) fill(banner, JSON.stringify(s), () => simulationText(s));
  setText(byId("totals"), `Since ${new Date(state.started).toLocaleTimeString()}: ${state.frames} frames classified, ` +
    `${state.dropped} passed over; changes of depth: ${state.switches}`);
}

function simulationText(s) {
  const unreal = [], real = ["the network", "TFLite", "the latency", "the governor"];
  if (s.board) {
    unreal.push(`board (${s.board}, time ×${fixed(s.acceleration, 0)}, 1 ms of real inference counts as ${fixed(s.work_scale, s.work_scale < 10 ? 1 : 0)} ms` +
      (s.sun_kelvin ? `, sun and shade ±${s.sun_kelvin} K` : "") + ")");
  }
  if (s.camera) unreal.push(`camera (${s.camera})`);
  if (!s.board) real.push("the board");
  if (!s.camera) real.push("the camera");
  return [make("strong", "", "Simulated: "), unreal.join(", ") + ". ", make("strong", "", "Real: "), real.join(", ") + "."];
}

function showAnswer() {
  const f = state.frame;
  setText(byId("camera-note"), state.source);
  document.body.classList.toggle("stale", state.health.stale);
  const heat = state.board && state.board.heat.hottest_celsius;
  figure("temperature", heat && heat.value !== undefined ? fixed(heat.value, 1) : null, "°C", heat ? "unknown" : "–");
  figure("rate", state.decision ? fixed(1e9 / state.decision.frame_period_ns, 1) : null, "/s");
  if (!f) return;
  const label = byId("label");
  setText(label, f.label);
  label.classList.toggle("long", f.label.length > 4);
  setText(byId("probability"), percent(f.probability) + " sure");
  const truth = byId("truth");
  truth.hidden = !f.truth;
  if (f.truth) {
    const right = f.truth === f.label;
    fill(truth, f.truth + right, () => ["truth ", make("b", "", f.truth), " ",
      make("b", right ? "right" : "wrong", right ? "✓ right" : "✗ wrong")]);
  }
  showGuesses(f.top);
  const a = state.accuracy;
  figure("accuracy", a ? fixed((100 * a.right) / a.of, 1) : null, "%");
  figure("latency", millis(f.latency_ms), "ms");
}

function figure(id, value, unit, missing = "–") {
  fill(byId(id), value + unit + missing, () => (value === null || value === undefined ? [missing] : [value + " ", make("small", "", unit)]));
}

function showGuesses(top) {
  const list = byId("guesses");
  while (list.children.length < top.length) {
    list.append(make("li", "", make("span", "name"), make("span", "bar", make("i")), make("span", "share")));
  }
  top.forEach((guess, i) => {
    const [name, bar, share] = list.children[i].children;
    setText(name, guess.label);
    bar.firstChild.style.width = 100 * guess.probability + "%";
    setText(share, percent(guess.probability));
  });
}

function showLadder() {
  const rungs = state.ladder, list = byId("ladder");
  const key = JSON.stringify([state.active, rungs.map((r) => [r.variant, millis(r.latency_ms), r.seen, r.frames > 0])]);
  fill(list, key, () => rungs.map((r, i) => {
    const here = i === state.active;
    const item = make("li", "",
      make("span", "name", r.variant, ...(here ? [make("em", "", "active")] : [])),
      blocks(r.depth),
      make("div", "facts", rungFacts(r)));
    if (here) item.setAttribute("aria-current", "true");
    return item;
  }));
  setText(byId("reason"), state.decision ? state.decision.reason : "The governor has not decided yet.");
}

// blocks draws the residual blocks of each stage.
function blocks(depth) {
  const row = make("div", "blocks");
  row.setAttribute("aria-hidden", "true");
  if (depth.some((d) => d > 16)) return row;
  depth.forEach((d, stage) => {
    if (stage) row.append(make("i", "gap"));
    for (let i = 0; i < d; i++) row.append(make("i"));
  });
  return row;
}

function rungFacts(r) {
  const facts = [(r.frames ? "" : "about ") + millis(r.latency_ms) + " ms"];
  if (r.stated_accuracy !== undefined) facts.push("stated " + fixed(100 * r.stated_accuracy, 1) + " %");
  if (r.seen) facts.push("seen " + fixed((100 * r.seen.right) / r.seen.of, 1) + " % of " + r.seen.of);
  return facts.join(" · ");
}

function showCharts() {
  if (!points.length || !state) return;
  const now = Date.parse(points[points.length - 1].t);
  const series = (pick) => points.map((p) => ({ age: (now - Date.parse(p.t)) / 1000, value: pick(p) }))
    .filter((p) => p.age <= SPAN_SECONDS);
  const known = (s) => s.map((p) => p.value).filter((v) => v !== null);
  const last = (s, text) => (s.length && s[s.length - 1].value !== null ? text(s[s.length - 1].value) : "unknown");

  const names = state.ladder.map((r) => r.variant);
  const rung = series((p) => (p.rung < 0 ? null : p.rung));
  drawChart(byId("chart-rung"), rung, { low: -0.4, high: Math.max(names.length - 0.6, 0.4), step: true, color: "--accent",
    ticks: names.map((text, at) => ({ at, text })), label: "Active variant: now " + last(rung, (v) => names[v]) });

  const heat = series((p) => p.celsius), ceiling = state.ceiling_celsius;
  drawChart(byId("chart-celsius"), heat, { ...niceScale(known(heat).concat(ceiling || []), 10, (v) => fixed(v, 0) + " °C"), color: "--heat",
    marks: ceiling ? [{ at: ceiling, text: "ceiling " + fixed(ceiling, 0) + " °C", color: "--bad" }] : [],
    label: "Temperature: now " + last(heat, (v) => fixed(v, 1) + " degrees Celsius") + (ceiling ? ", ceiling " + ceiling : "") });

  // The scale leaves out the slowest 3 %: a line that runs off the top is a disturbance of the machine.
  const latency = series((p) => p.latency_ms);
  drawChart(byId("chart-latency"), latency, { ...niceScale(known(latency).sort((a, b) => a - b).slice(0, Math.ceil(latency.length * 0.97)).concat(0), 0.5, (v, step) => fixed(v, step < 0.1 ? 2 : step < 1 ? 1 : 0) + " ms"),
    color: "--accent", label: "Inference: now " + last(latency, (v) => millis(v) + " milliseconds") });

  const accuracy = series((p) => (p.accuracy === null ? null : 100 * p.accuracy));
  const floor = Math.min(50, ...known(accuracy).map((v) => Math.floor(v / 25) * 25));
  drawChart(byId("chart-accuracy"), accuracy, { low: floor, high: 100, color: "--good",
    ticks: [floor, (floor + 100) / 2, 100].map((at) => ({ at, text: fixed(at, 0) + " %" })),
    label: "Accuracy over the last minute: now " + last(accuracy, (v) => fixed(v, 0) + " percent") });
}

// showPicture draws the newest frame and marks the square that the network sees.
function showPicture() {
  return new Promise((done) => {
    const picture = new Image();
    picture.onerror = () => done(false);
    picture.onload = () => {
      const canvas = byId("frame"), g = canvas.getContext("2d");
      const w = picture.naturalWidth, h = picture.naturalHeight;
      if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
      g.drawImage(picture, 0, 0);
      const side = Math.min(w, h) - 4, arm = side / 12, x = (w - side) / 2, y = (h - side) / 2;
      for (const [width, color] of [[side / 100, "rgb(0 0 0 / 45%)"], [side / 190, "rgb(255 255 255 / 92%)"]]) {
        g.lineWidth = width;
        g.strokeStyle = color;
        for (const [cx, cy, dx, dy] of [[x, y, 1, 1], [x + side, y, -1, 1], [x, y + side, 1, -1], [x + side, y + side, -1, -1]]) {
          line(g, [[cx + dx * arm, cy], [cx, cy], [cx, cy + dy * arm]]);
        }
      }
      done(true);
    };
    picture.src = "frame.jpg?" + Date.parse(state.frame.captured);
  });
}

const UNITS = { celsius: ["°C", 1], percent: ["%", 0], watts: ["W", 2], hertz: ["MHz", 1e-6], bytes: ["MiB", 1 / 1048576] };

function readingText(name, value) {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return String(value);
  const unit = name.split("_").pop(), [text, amount] = UNITS[unit] || ["", 2];
  if (unit === "hertz" || unit === "bytes") return fixed(value * amount, 0) + " " + text;
  return fixed(value, amount) + " " + text;
}

function showSensors() {
  if (!byId("sensors").closest("details").open) return;
  const rows = [], board = state.board;
  if (board) {
    for (const group of ["heat", "power", "throttle", "load"]) {
      for (const [name, reading] of Object.entries(board[group])) {
        if (Array.isArray(reading) || reading === null) continue;
        const words = ((group === "heat" || group === "power" ? group + " " : "") + name.replace(/_(celsius|percent|watts|hertz|bytes)$/, "")).replaceAll("_", " ");
        rows.push(reading.value === undefined ? [words, "unknown: " + reading.unknown, "unknown"] : [words, readingText(name, reading.value), ""]);
      }
    }
    for (const probe of board.probes || []) rows.push(["probe " + probe.name, probe.state + (probe.reason ? ": " + probe.reason : ""), probe.state === "loaded" ? "" : "unknown"]);
  }
  table("sensors", rows);
  const terms = (state.decision && state.decision.terms) || [];
  table("terms", terms.map((t) => [t.name, `${+t.value.toFixed(3)} ${t.unit || ""}`, ""]));
}

function table(id, rows) {
  fill(byId(id), JSON.stringify(rows), () => rows.map(([name, text, className]) => {
    const head = make("th", "", name);
    head.scope = "row";
    return make("tr", "", head, make("td", className, text));
  }));
}

byId("sensors").closest("details").addEventListener("toggle", () => state && showSensors());
window.addEventListener("resize", showCharts);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showCharts);
repeat(refresh, STATE_PERIOD_MS);
repeat(refreshHistory, HISTORY_PERIOD_MS);
