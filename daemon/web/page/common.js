// What the other scripts share: elements, and asking the daemon.
"use strict";

const byId = (id) => document.getElementById(id);

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
  if (!answer.ok) throw Object.assign(new Error(path + ": " + answer.status), { status: answer.status });
  return answer.json();
}
