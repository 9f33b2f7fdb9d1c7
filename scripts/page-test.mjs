// Looks at the page of a running fathomd with Chromium, and prints what it found as JSON:
//
//   node scripts/page-test.mjs URL TOKEN CHROMIUM [FOLDER-FOR-PICTURES]
//
// Run by scripts/page-test.sh, which installs puppeteer-core and axe-core where NODE_PATH says, relative to the current folder.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import assert from "node:assert/strict";

const require = createRequire(process.cwd() + "/" + process.env.NODE_PATH + "/");
const puppeteer = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [url, token, executablePath, pictures] = process.argv.slice(2);

const browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--no-first-run"] });
const found = { bytes: 0, requests: 0, outside: [], console: [], axe_rules: 0, axe_violations: [] };
try {
  await look();
} finally {
  await browser.close();
}
console.log(JSON.stringify(found, null, 2));
assert.ok(found.bytes <= 150000, `a first load takes ${found.bytes} bytes`);
assert.deepEqual(found.outside, [], "requests to elsewhere");
assert.deepEqual(found.console, [], "errors in the console");
assert.deepEqual(found.axe_violations, [], "violations of accessibility rules");

async function look() {
  const page = await browser.newPage();
  watchConsole(page);
  await firstLoad(page);
  await showsWhatItDoes(page);
  await answersFitTheirFrames(page);
  await audit(page, "desktop-light", 1180, 900, "light");
  await audit(page, "desktop-dark", 1180, 900, "dark");
  await audit(page, "phone-light", 390, 844, "light");
  await audit(page, "phone-dark", 390, 844, "dark");
  await listens(page);
  await keyboard(page);
  await audit(page, "signed-in", 1180, 900, "light");
  await steers(page);
}

function watchConsole(page) {
  page.on("console", (m) => m.type() === "error" && found.console.push(m.text()));
  page.on("pageerror", (e) => found.console.push(String(e)));
}

// firstLoad counts every byte that comes over the network until picture and charts are there: headers, scripts, data, the first frame.
async function firstLoad(page) {
  const network = await page.createCDPSession();
  await network.send("Network.enable");
  network.on("Network.requestWillBeSent", ({ request }) => {
    if (!request.url.startsWith(url) && !request.url.startsWith("data:")) found.outside.push(request.url);
  });
  let counting = true;
  network.on("Network.loadingFinished", ({ encodedDataLength }) => {
    if (!counting) return;
    found.bytes += encodedDataLength;
    found.requests++;
  });
  await page.setViewport({ width: 1180, height: 900 });
  await page.goto(url);
  await page.waitForFunction(() => document.querySelector("#label").textContent && document.querySelector("#chart-rung canvas") &&
    document.querySelector("#frame").width !== 300, { timeout: 30000 });
  counting = false;
}

async function showsWhatItDoes(page) {
  const text = (selector) => page.$eval(selector, (e) => e.textContent.trim());
  assert.match(await text("#label"), /^[0-9A-Z]/);
  assert.match(await text("#simulated"), /Simulated:.*time ×/);
  assert.match(await text("#ladder"), /active/);
  assert.match(await text("#ladder"), /% of the work/);
  assert.match(await text("#reason"), /\S+ at .*frames\/s/);
  assert.match(await text("#totals"), /changes of depth: \d/);
  assert.match(await text("#locked"), /Sign in/);
  await page.waitForFunction(() => /appeared/.test(document.querySelector("#events").textContent), { timeout: 30000 });
  assert.equal(await page.$eval("#apply", (e) => e.disabled), true);
}

// answersFitTheirFrames sees that at no moment an answer stands beside another frame's picture, and that the picture drawn is the one
// that was sent with this answer.
async function answersFitTheirFrames(page) {
  const sent = new Map();
  const note = async (reply) => {
    if (!reply.url().includes("/frame.jpg") || reply.status() !== 200) return;
    const id = JSON.parse(decodeURIComponent(reply.headers()["fathom-answer"]));
    assert.equal(reply.headers().etag, `"${id.id}"`);
    sent.set(id.id, id.label);
  };
  page.on("response", note);
  const shown = await page.evaluate(async () => {
    const seen = [], picture = document.querySelector("#frame"), label = document.querySelector("#label");
    const look = () => {
      const now = [picture.dataset.frame, label.dataset.frame, label.textContent];
      if (!seen.length || now.join() !== seen.at(-1).join()) seen.push(now);
    };
    const watch = new MutationObserver(look);
    for (const node of [picture, label]) watch.observe(node, { attributes: true, childList: true, characterData: true, subtree: true });
    await new Promise((done) => setTimeout(done, 8000));
    watch.disconnect();
    return seen;
  });
  page.off("response", note);
  for (const [picture, answer, label] of shown) {
    assert.equal(picture, answer, "the answer belongs to another frame than the picture");
    if (sent.has(picture)) assert.equal(label, sent.get(picture));
  }
  found.frames_compared = shown.filter(([picture]) => sent.has(picture)).length;
  assert.ok(found.frames_compared >= 10, `only ${found.frames_compared} frames in 8 s`);
}

// audit runs axe on the page as it is, with its details open, and takes a picture.
async function audit(page, name, width, height, scheme) {
  await page.setViewport({ width, height, deviceScaleFactor: 1 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.evaluate(() => (document.querySelector("details").open = true));
  await new Promise((done) => setTimeout(done, 1500));
  await page.evaluate(axe);
  const result = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  found.axe_rules = Math.max(found.axe_rules, result.passes.length + result.violations.length);
  for (const v of result.violations) found.axe_violations.push(`${name}: ${v.id}: ${v.nodes.map((n) => n.target + " " + n.failureSummary).join("; ")}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `${name}: the page is ${wide} pixels wider than the screen`);
  await page.evaluate(() => (document.querySelector("details").open = false));
  if (pictures) await page.screenshot({ path: `${pictures}/page-${name}.png`, fullPage: true });
}

// listens counts what a screen reader would be told in ten seconds.
async function listens(page) {
  const told = await page.evaluate(async () => {
    let n = 0;
    const watch = new MutationObserver(() => n++);
    for (const region of document.querySelectorAll("[role=status], [role=alert], [aria-live]:not([aria-live=off]), output")) {
      watch.observe(region, { childList: true, characterData: true, subtree: true });
    }
    await new Promise((done) => setTimeout(done, 10000));
    watch.disconnect();
    return n;
  });
  found.announcements_in_10s = told;
  assert.ok(told <= 3, `a screen reader is told ${told} things in ten seconds`);
}

// keyboard signs in and changes a setting without a pointer.
async function keyboard(page) {
  await page.setViewport({ width: 1180, height: 900 });
  await page.evaluate(() => { document.activeElement.blur(); window.scrollTo(0, 0); });
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.className || document.activeElement.name || document.activeElement.tagName);
  const seen = [];
  for (let i = 0; i < 40 && (await focused()) !== "signing"; i++) { // each picture of an event is a link
    await page.keyboard.press("Tab");
    seen.push(await focused());
  }
  assert.equal(seen[0], "skip");
  assert.ok(!seen.includes("BODY"), "the focus is lost: " + seen);
  assert.ok(seen.includes("span") && seen.includes("signing"), "Tab reaches " + seen);
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "token");
  await page.keyboard.type("not the right token");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => /wrong token/.test(document.querySelector("#login-error").textContent));
  found.console = found.console.filter((m) => !/401/.test(m)); // the browser logs the refusal that was asked for
  await page.$eval("#token", (e) => (e.value = ""));
  await page.keyboard.type(token);
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "policy");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "ceiling");
  await page.keyboard.type("68");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => /Applied/.test(document.querySelector("#controls-done").textContent));
}

// steers sees that what was changed holds, that nonsense is refused in words, and that a pause stops the frames.
async function steers(page) {
  await page.waitForFunction(async () => (await (await fetch("api/controls")).json()).settings.objectives.ceiling_celsius === 68);
  await page.select("#goal", "until");
  await page.$eval("#until", (e) => (e.value = "06:30"));
  await page.select("#policy", "step-wise");
  await page.click("#apply");
  await page.waitForFunction(async () => (await (await fetch("api/controls")).json()).settings.objectives.battery?.until === "06:30");
  await page.waitForFunction(async () => (await (await fetch("api/state")).json()).policy === "step-wise");
  await page.$eval("#quiet-from", (e) => (e.value = "22:00"));
  await page.$eval("#quiet-to", (e) => (e.value = "05:30"));
  const deepest = await page.$eval("#greatest", (e) => e.options[e.options.length - 1].value);
  await page.select("#greatest", deepest);
  await page.click("#apply");
  await page.waitForFunction(async (deepest) => {
    const { objectives } = (await (await fetch("api/controls")).json()).settings;
    return objectives.quiet_hours?.[0] === "22:00-05:30" && objectives.greatest_depth === deepest;
  }, {}, deepest);
  await page.waitForFunction(() => /policy, battery, ceiling, greatest depth, quiet hours/.test(document.querySelector("#overridden").textContent) && !document.querySelector("#reset").disabled);
  await page.click("#reset");
  await page.waitForFunction(() => document.querySelector("#overridden").hidden && document.querySelector("#greatest").value === "");
  await page.click("#pause");
  await page.waitForFunction(() => !document.querySelector("#paused").hidden && document.querySelector("#pause").textContent === "Go on");
  await page.click("#pause");
  await page.waitForFunction(() => document.querySelector("#paused").hidden);
}
