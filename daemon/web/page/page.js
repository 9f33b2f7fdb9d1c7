// Shows /api/state five times a second, /frame.jpg with its answer at every new frame, and /api/history as often as it has something new.
// While the page is hidden it asks for nothing.
"use strict";

const STATE_PERIOD_MS = 200, RETRY_PERIOD_MS = 2000, ANNOUNCE_PERIOD_MS = 10000;
let state = null, shownFrame = null, shownEvents = null, span = "minutes", announced = { label: "", at: 0 };

const percent = (p) => (p >= 0.995 && p < 1 ? "> 99" : Math.round(p * 100)) + " %";
const fixed = (v, digits) => v.toFixed(digits).replace("-", "−");
const millis = (v) => fixed(v, v < 10 ? 2 : v < 100 ? 1 : 0);

// repeat runs a task for ever, a period after it last ended; wake ends a pause early.
function repeat(task, period) {
  let wake = null;
  (async () => {
    for (;;) {
      let pause = period();
      try {
        if (!document.hidden && session && session.may_look) await task();
      } catch (e) {
        pause = RETRY_PERIOD_MS;
        await offline(e);
      }
      await new Promise((done) => { wake = done; setTimeout(done, pause); });
    }
  })();
  return () => wake && wake();
}

// offline tells that nothing can be had: the daemon is away, or it wants to be signed in to again.
async function offline(e) {
  if (e.status === 401) return refreshSession().catch(() => {});
  byId("health").className = "degraded";
  setText(byId("health-word"), "no connection to fathomd");
}

async function refresh() {
  state = await get("api/state");
  showHeader();
  showFigures();
  showLadder();
  showDetails();
  if (state.frame && state.frame.id !== shownFrame) await showFrame();
  if (state.events !== shownEvents) {
    showEvents(await get("api/events"));
    shownEvents = state.events;
  }
}

// showFrame shows the frame classified last with the answer that came with it, both at once: no answer beside another frame's picture.
async function showFrame() {
  const reply = await fetch("frame.jpg", { cache: "no-store" });
  if (!reply.ok) throw Object.assign(new Error("frame.jpg: " + reply.status), { status: reply.status });
  let answer = state.frame, picture = null;
  if (reply.status === 200) {
    answer = JSON.parse(decodeURIComponent(reply.headers.get("Fathom-Answer")));
    picture = await createImageBitmap(await reply.blob());
  }
  showPicture(picture, answer);
  showAnswer(answer);
  shownFrame = answer.id;
}

async function refreshHistory() {
  const history = await get("api/history?span=" + span);
  if (state) drawCharts(history, state.ladder.map((r) => r.variant), state.ceiling_celsius);
}

function showHeader() {
  const ok = state.health.status === "ok";
  byId("health").className = state.health.status;
  setText(byId("health-word"), state.paused ? "paused" : ok ? "running" : "degraded");
  byId("paused").hidden = !state.paused;
  setText(byId("origin"), state.bundle.name + " on " + (state.board ? state.board.board : "this board"));
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

function showFigures() {
  setText(byId("camera-note"), state.source);
  document.body.classList.toggle("stale", state.health.stale);
  const heat = state.board && state.board.heat.hottest_celsius;
  figure("temperature", heat && heat.value !== undefined ? fixed(heat.value, 1) : null, "°C", heat ? "unknown" : "–");
  const charge = state.board && state.board.power.charge_percent.value;
  byId("charge-figure").hidden = charge === undefined || charge === null;
  figure("charge", charge === undefined || charge === null ? null : fixed(charge, 0), "%");
  figure("rate", state.decision ? fixed(1e9 / state.decision.frame_period_ns, 1) : null, "/s");
  const a = state.accuracy;
  byId("accuracy-figure").hidden = !a && !(state.frame && state.frame.truth);
  figure("accuracy", a ? fixed((100 * a.right) / a.of, 1) : null, "%");
}

function showAnswer(f) {
  const label = byId("label");
  label.dataset.frame = f.id;
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
  showRecent(f.label);
  announce(f);
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

function showRecent(label) {
  const list = state.recent.filter((r, i) => i || r.label !== label).slice(0, 5);
  fill(byId("recent"), JSON.stringify(list.map((r) => [r.label, r.since])), () => list.map((r) => {
    const time = make("time", "", new Date(r.since).toLocaleTimeString());
    time.dateTime = r.since;
    return make("li", "", make("b", "", r.label), " ", time);
  }));
  byId("h-recent").hidden = !list.length;
}

const EVENTS_SHOWN = 12, EVENT_WORDS = { appeared: "appeared", present: "still there", gone: "gone" };

// showEvents lists what came and went, the newest first, with the pictures that were kept. Items stay the same elements, and the one
// that has the focus stays at all events, so that nobody who goes through them by keyboard is thrown out.
function showEvents(events) {
  const list = byId("events"), before = new Map([...list.children].map((item) => [item.dataset.key, item]));
  byId("no-events").hidden = events.length > 0;
  list.hidden = !events.length;
  let older = null;
  for (const e of events.slice(0, EVENTS_SHOWN).reverse()) {
    const key = [e.id, e.event_type, e.time, e.snapshot].join(), item = before.get(key) || eventItem(e);
    before.delete(key);
    item.dataset.key = key;
    if (!item.isConnected) list.insertBefore(item, older);
    older = item;
  }
  for (const item of before.values()) if (!item.contains(document.activeElement)) item.remove();
}

function eventItem(e) {
  const time = make("time", "", new Date(e.time).toLocaleTimeString()), item = make("li", e.event_type);
  time.dateTime = e.time;
  if (e.snapshot) item.append(thumbnail(e));
  const what = [percent(e.peak_confidence) + " sure", e.variant];
  if (e.event_type !== "appeared") what.unshift("after " + fixed(e.seconds, e.seconds < 10 ? 1 : 0) + " s");
  if (e.cause) what.push(e.cause);
  item.append(make("div", "", make("b", "", e.class), " " + EVENT_WORDS[e.event_type] + (e.region ? " at " + e.region : "") + " ", time,
    make("div", "facts", what.join(" · "))));
  return item;
}

function thumbnail(event) {
  const picture = make("img"), link = make("a", "", picture), path = "snapshots/" + encodeURIComponent(event.snapshot);
  Object.assign(picture, { src: path + "?width=160", alt: `Picture of ${event.class}`, loading: "lazy", width: 80, height: 60 });
  picture.onerror = () => link.remove(); // it made room for newer ones
  link.href = path;
  return link;
}

// announce tells a screen reader of a new label, not more often than it can be listened to.
function announce(frame) {
  if (frame.label === announced.label || Date.now() - announced.at < ANNOUNCE_PERIOD_MS) return;
  announced = { label: frame.label, at: Date.now() };
  setText(byId("announce"), `${frame.label}, ${percent(frame.probability)} sure`);
}

function showLadder() {
  const rungs = state.ladder, list = byId("ladder");
  const key = JSON.stringify([state.active, rungs.map((r) => [r.variant, millis(r.latency_ms), r.seen, r.frames > 0])]);
  const deepest = Math.max(...rungs.map((r) => r.macs));
  fill(list, key, () => rungs.map((r, i) => {
    const here = i === state.active;
    const item = make("li", "",
      make("span", "name", r.variant, ...(here ? [make("em", "", "active")] : [])),
      blocks(r.depth),
      make("div", "facts", rungFacts(r, deepest)));
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

function rungFacts(r, deepest) {
  const facts = [(r.frames ? "" : "about ") + millis(r.latency_ms) + " ms", fixed((100 * r.macs) / deepest, 0) + " % of the work"];
  if (r.stated_accuracy !== undefined) facts.push("stated " + fixed(100 * r.stated_accuracy, 1) + " %");
  if (r.seen) facts.push("seen " + fixed((100 * r.seen.right) / r.seen.of, 1) + " % of " + r.seen.of);
  return facts.join(" · ");
}

// showPicture draws a frame, if there is one, and marks the part that the network saw.
function showPicture(picture, { id, seen }) {
  const canvas = byId("frame"), g = canvas.getContext("2d");
  canvas.dataset.frame = picture ? id : "";
  if (!picture) return g.clearRect(0, 0, canvas.width, canvas.height);
  const { width: w, height: h } = picture;
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  g.drawImage(picture, 0, 0);
  picture.close();
  const inset = Math.min(w, h) / 240, x = seen.x * w + inset, y = seen.y * h + inset;
  const right = (seen.x + seen.width) * w - inset, low = (seen.y + seen.height) * h - inset, side = Math.min(right - x, low - y), arm = side / 12;
  for (const [width, color] of [[side / 100, "rgb(0 0 0 / 45%)"], [side / 190, "rgb(255 255 255 / 92%)"]]) {
    g.lineWidth = width;
    g.strokeStyle = color;
    for (const [cx, cy, dx, dy] of [[x, y, 1, 1], [right, y, -1, 1], [x, low, 1, -1], [right, low, -1, -1]]) {
      g.beginPath();
      g.moveTo(cx + dx * arm, cy);
      g.lineTo(cx, cy);
      g.lineTo(cx, cy + dy * arm);
      g.stroke();
    }
  }
}

const UNITS = { celsius: ["°C", 1], percent: ["%", 0], watts: ["W", 2], hertz: ["MHz", 1e-6], bytes: ["MiB", 1 / 1048576] };

function readingText(name, value) {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return String(value);
  const unit = name.split("_").pop(), [text, amount] = UNITS[unit] || ["", 2];
  if (unit === "hertz" || unit === "bytes") return fixed(value * amount, 0) + " " + text;
  return fixed(value, amount) + " " + text;
}

function showDetails() {
  if (!byId("sensors").closest("details").open) return;
  const rows = [], board = state.board;
  if (board) {
    for (const group of ["heat", "power", "throttle", "load"]) {
      for (const [name, reading] of Object.entries(board[group])) {
        if (typeof reading !== "object" || reading === null || Array.isArray(reading)) continue;
        const words = ((group === "heat" || group === "power" ? group + " " : "") + name.replace(/_(celsius|percent|watts|hertz|bytes)$/, "")).replaceAll("_", " ");
        rows.push(reading.value === undefined ? [words, "unknown: " + reading.unknown, "unknown"] : [words, readingText(name, reading.value), ""]);
      }
    }
    table("probes", (board.probes || []).map((p) => [p.name, p.state + (p.reason ? ": " + p.reason : ""), p.state === "loaded" ? "" : "unknown"]));
  }
  table("sensors", rows);
  const terms = (state.decision && state.decision.terms) || [];
  table("terms", terms.map((t) => [t.name, `${+t.value.toFixed(3)} ${t.unit || ""}`, ""]));
  const b = state.bundle;
  table("bundle", [["name", b.name, ""], ["SHA-256", b.digest, "hash"], ["signature", b.signature, ""]]);
}

function table(id, rows) {
  fill(byId(id), JSON.stringify(rows), () => rows.map(([name, text, className]) => {
    const head = make("th", "", name);
    head.scope = "row";
    return make("tr", "", head, make("td", className, text));
  }));
}

const showState = repeat(refresh, () => STATE_PERIOD_MS);
const showHistory = repeat(refreshHistory, () => (state ? SPANS[span].period : STATE_PERIOD_MS));
repeat(refreshControls, () => 5000);

byId("sensors").closest("details").addEventListener("toggle", () => state && showDetails());
byId("span").addEventListener("change", (e) => {
  span = e.target.value;
  showHistory();
});
window.addEventListener("resize", resizeCharts);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { dropCharts(); showHistory(); });
document.addEventListener("visibilitychange", () => { showState(); showHistory(); });

// begin asks what this browser may do until it is told.
(async function begin() {
  try {
    await refreshSession();
    showState();
    showHistory();
  } catch (e) {
    await offline(e);
    setTimeout(begin, RETRY_PERIOD_MS);
  }
})();
