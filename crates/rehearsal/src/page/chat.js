// The chat page: people side by side, each with their own screen; behind tabs where there is no room.

import { Desk } from "./desk.js";
import { ask, el } from "./dom.js";
import { Pane } from "./pane.js";

const CONNECTED_MAX = 4;
const RETRY_MS = 1500;
const REST_MS = 10_000;
const panes = [];

async function start() {
  let world;
  try {
    world = await ask("/chat/people");
  } catch {
    setTimeout(start, RETRY_MS);
    return;
  }
  if (/^https?:/i.test(world.console ?? "")) {
    const link = document.getElementById("console");
    link.href = world.console;
    link.hidden = false;
  }
  if (world.desk) new Desk(world.desk);
  panes.push(...world.people.map((person) => new Pane(person, tabs, world.suggestions ?? [])));
  document.getElementById("panes").replaceChildren(...panes.map((pane) => pane.root));
  document.documentElement.classList.toggle("solo", panes.length > 2);
  document.getElementById("tabs").hidden = panes.length < 2;
  if (panes.length <= CONNECTED_MAX) panes.forEach((pane) => pane.connect());
  if (panes.length > 0) select(panes[0]);
}

/** Brings one person to the front. A browser keeps few connections, so with many people only theirs is open. */
function select(chosen) {
  for (const pane of panes) {
    pane.root.classList.toggle("selected", pane === chosen);
    if (panes.length > CONNECTED_MAX && pane !== chosen) pane.disconnect();
  }
  chosen.connect();
  chosen.seen();
}

// === Tabs of the browser ===

// A browser keeps six connections to one server, and each person here takes one: a tab that nobody looks at gives its
// own back, or a third one could not send any more and a fourth would not load.
let resting = null;
let rested = [];

function rest() {
  rested = panes.filter((pane) => pane.source);
  rested.forEach((pane) => pane.disconnect());
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(resting);
  if (document.hidden) resting = setTimeout(rest, REST_MS);
  else rested.splice(0).forEach((pane) => pane.connect());
});

function tabs() {
  const buttons = panes.map((pane) => {
    const selected = pane.root.classList.contains("selected");
    const dot = pane.unread > 0 && !selected ? el("span.dot", { "aria-label": "unread" }) : null;
    return el("button", { type: "button", role: "tab", "aria-selected": String(selected), onclick: () => select(pane) },
      `${pane.person.name} — ${pane.person.role}`, dot);
  });
  document.getElementById("tabs").replaceChildren(...buttons);
}

// === Light and dark ===

const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");

function shade() {
  const chosen = localStorage.getItem("theme");
  if (chosen) root.dataset.theme = chosen;
  root.dataset.shown = chosen ?? (dark.matches ? "dark" : "light");
}

document.getElementById("theme").onclick = () => {
  localStorage.setItem("theme", root.dataset.shown === "dark" ? "light" : "dark");
  shade();
};
dark.onchange = shade;
shade();
start();
