// Signing in, and the settings that can be changed while the daemon runs.
"use strict";

let session = null, settings = null, policies = [], depths = [], edited = false, knocking = false;

async function post(path, content) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) });
  const text = await answer.text();
  const body = text ? JSON.parse(text) : null;
  if (answer.status === 401) await refreshSession();
  if (!answer.ok) throw new Error(body.error);
  return body;
}

// refreshSession asks what this browser may do, and shows what follows from it.
async function refreshSession() {
  session = await get("api/session");
  byId("content").hidden = !session.may_look;
  if (session.signed_in) knocking = false;
  byId("door").hidden = session.may_look && !knocking;
  setText(byId("login-why"), session.may_look ? "Changes need the token that fathomd token wrote." :
    "This page shows what a camera sees. It needs the token that fathomd token wrote.");
  const signing = byId("signing");
  signing.hidden = !session.token;
  setText(signing, session.signed_in ? "Sign out" : "Sign in");
  const locked = byId("locked");
  locked.hidden = session.signed_in;
  setText(locked, session.token ? "Sign in to change something." :
    "Nothing can be changed here: no token is set. On the board, run fathomd token and name the file with token_file.");
  if (session.may_look) await refreshControls();
  allowEditing();
}

function allowEditing() {
  const may = session.signed_in;
  byId("fields").disabled = byId("apply").disabled = byId("pause").disabled = !may;
  byId("reload").disabled = !may || !settings || !settings.reload;
  byId("reset").disabled = !may || !settings || !settings.overridden.length;
}

async function refreshControls() {
  settings = await get("api/controls");
  ({ policies, variants: depths } = settings);
  options("policy", policies.map((p) => [p, p]));
  options("least", [["", "the shallowest"], ...depths.map((v) => [v, v])]);
  options("greatest", [["", "the deepest"], ...depths.map((v) => [v, v])]);
  const changed = settings.overridden.map((name) => name.replace(/_(celsius|percent|ns)$/, "").replaceAll("_", " "));
  byId("overridden").hidden = !changed.length;
  setText(byId("overridden"), "Other than the configuration says: " + changed.join(", ") + ".");
  allowEditing();
  setText(byId("pause"), settings.settings.paused ? "Go on" : "Pause");
  if (!edited) fillForm();
}

function options(id, list) {
  fill(byId(id), JSON.stringify(list), () => list.map(([value, text]) => {
    const option = make("option", "", text);
    option.value = value;
    return option;
  }));
}

function fillForm() {
  const { policy, objectives } = settings.settings, battery = objectives.battery || {};
  byId("policy").value = policy;
  byId("fps").value = objectives.fps;
  byId("ceiling").value = objectives.ceiling_celsius || "";
  byId("least").value = objectives.least_depth || "";
  byId("greatest").value = objectives.greatest_depth || "";
  [byId("quiet-from").value, byId("quiet-to").value] = ((objectives.quiet_hours || [])[0] || "-").split("-");
  byId("goal").value = battery.until ? "until" : battery.for_ns ? "for" : battery.average_watts ? "watts" : "";
  byId("until").value = battery.until || "";
  byId("hours").value = battery.for_ns ? battery.for_ns / 3.6e12 : "";
  byId("watts").value = battery.average_watts || "";
  showGoal();
}

function showGoal() {
  const goal = byId("goal").value;
  for (const [name, input] of [["until", "until"], ["for", "hours"], ["watts", "watts"]]) {
    byId("goal-" + name).hidden = goal !== name;
    byId(input).required = goal === name;
  }
}

const amount = (id) => +byId(id).value;

function wanted() {
  const goal = byId("goal").value;
  return {
    policy: byId("policy").value,
    objectives: {
      fps: amount("fps"),
      ceiling_celsius: amount("ceiling"),
      least_depth: byId("least").value,
      greatest_depth: byId("greatest").value,
      quiet_hours: quietHours(),
      battery: {
        until: goal === "until" ? byId("until").value : "",
        for_ns: goal === "for" ? Math.round(amount("hours") * 3.6e12) : 0,
        average_watts: goal === "watts" ? amount("watts") : 0,
      },
    },
  };
}

// quietHours puts the first ones in the place of those that were there; further ones, which the page does not show, stay.
function quietHours() {
  const from = byId("quiet-from").value, to = byId("quiet-to").value, rest = (settings.settings.objectives.quiet_hours || []).slice(1);
  return from && to ? [from + "-" + to, ...rest] : rest;
}

// tell runs a change, and says below the form what came of it.
async function tell(change) {
  setText(byId("controls-error"), "");
  setText(byId("controls-done"), "");
  try {
    setText(byId("controls-done"), await change());
    edited = false;
    await refreshControls();
  } catch (e) {
    setText(byId("controls-error"), e.message);
  }
}

function reloadedText(done) {
  const list = (fields) => fields.join(", ");
  if (!done.changed.length && !done.restart.length) return "Nothing has changed in the configuration.";
  return [done.changed.length ? "Changed: " + list(done.changed) + "." : "",
    done.restart.length ? "Takes effect at the next start: " + list(done.restart) + "." : ""].join(" ").trim();
}

byId("controls").addEventListener("input", () => {
  edited = true;
  showGoal();
  const from = byId("quiet-from"), to = byId("quiet-to");
  to.required = from.value !== "";
  from.required = to.value !== "";
});
byId("controls").addEventListener("submit", (e) => {
  e.preventDefault();
  tell(async () => { await post("api/controls", wanted()); return "Applied. It holds until the configuration is read again."; });
});
byId("pause").addEventListener("click", () => tell(async () => {
  const paused = !settings.settings.paused;
  await post("api/controls", { paused });
  return paused ? "Paused." : "Going on.";
}));
byId("reset").addEventListener("click", () => tell(async () => { await post("api/controls/reset", {}); return "As the configuration says."; }));
byId("reload").addEventListener("click", () => tell(async () => reloadedText(await post("api/reload", {}))));
byId("login").addEventListener("submit", async (e) => {
  e.preventDefault();
  setText(byId("login-error"), "");
  try {
    await post("api/login", { token: byId("token").value });
    byId("token").value = "";
    await refreshSession();
    byId("h-controls").scrollIntoView({ block: "nearest" });
    byId("policy").focus();
  } catch (error) {
    setText(byId("login-error"), error.message);
    byId("token").focus();
  }
});
byId("signing").addEventListener("click", async () => {
  if (session.signed_in) {
    await post("api/logout", {});
    await refreshSession();
    return;
  }
  knocking = true;
  byId("door").hidden = false;
  byId("token").focus();
});
