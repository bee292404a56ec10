// The dashboard: asks /status every two seconds and shows it. Text only ever goes in as text.
"use strict";

const EVERY_MS = 2000;
const PATIENCE_MS = 8000;
const FOLDED_FROM = 9;

const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");
const unfolded = new Map();
let answeredAt = null;
let shown = null;

function el(tag, className, ...content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...content);
  return element;
}

// === Words ===

const STATE_WORDS = {
  starting: "starting", running: "running", restarting: "restarting",
  stopped: "stopped", gave_up: "gave up",
};
const BREAKERS = {
  closed: ["good", "answers"], half_open: ["warn", "being tried"], open: ["bad", "not asked for now"],
};
const HALL = {
  starting: ["quiet", "The hall is starting"],
  running: ["good", "All is well"],
  degraded: ["warn", "The hall works, and something needs attention"],
  stopping: ["warn", "The hall is stopping: it finishes what it has"],
};

function span(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds / 3600) % 24} h`;
}

function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (1024 <= count && unit < units.length - 1) { count /= 1024; unit += 1; }
  return `${count < 10 && unit ? count.toFixed(1) : Math.round(count)} ${units[unit]}`;
}

function micros(count) {
  return count < 1000 ? `${count} µs` : `${(count / 1000).toFixed(count < 10000 ? 1 : 0)} ms`;
}

function tone(actor) {
  if (actor.state === "gave_up" || (actor.state === "running" && !actor.healthy)) return "bad";
  return actor.healthy ? "good" : "warn";
}

function stateWords(actor) {
  const stuck = actor.state === "running" && !actor.healthy;
  return stuck ? "stuck" : STATE_WORDS[actor.state] ?? actor.state;
}

function remarks(status) {
  const unready = status.checks.filter((it) => !it.ok)
    .map((it) => `${it.name} is not ready: ${it.why ?? "no reason given"}`);
  const unwell = status.actors.filter((it) => !it.healthy && it.state !== "stopped")
    .map((it) => `${it.id}: ${stateWords(it)}${it.last_fault ? `; last fault: ${it.last_fault}` : ""}`);
  const unasked = status.breakers.filter((it) => it.state !== "closed")
    .map((it) => `model ${it.model}: ${BREAKERS[it.state]?.[1] ?? it.state}`);
  const deaf = status.bots.filter((it) => !it.healthy)
    .map((it) => `@${it.username} hears nothing: last poll ${ago(it.last_poll_s)}`);
  const set = status.ledger.quarantined;
  const quarantined = set ? [`${number.format(set)} update${set === 1 ? "" : "s"} set aside for you to look at`] : [];
  const toolless = status.tool_servers.filter((it) => it.problem).map((it) => `tool server ${it.name}: ${it.problem}`);
  return [...unready, ...deaf, ...unwell, ...unasked, ...toolless, ...quarantined];
}

const ago = (seconds) => seconds === null ? "never" : seconds < 2 ? "now" : `${span(seconds)} ago`;

// === What is shown ===

function showBanner(kind, title, lines) {
  const text = JSON.stringify([kind, title, lines]);
  // Only on a change: a screen reader reads it out each time.
  if (text === shown) return;
  shown = text;
  const more = lines.length - 8;
  const items = lines.slice(0, 8).map((line) => el("li", "", line));
  if (0 < more) items.push(el("li", "", `and ${more} more`));
  const banner = byId("banner");
  banner.className = `banner ${kind}`;
  banner.querySelector("h2").textContent = title;
  banner.querySelector("ul").replaceChildren(...items);
  document.title = `${kind === "good" ? "" : "● "}Guildhall: ${title}`;
}

function showLedger(ledger) {
  const figure = (name, value, kind) => el("div", kind ?? "", el("dt", "", name), el("dd", "", value));
  byId("ledger").replaceChildren(
    figure("updates waiting", number.format(ledger.waiting)),
    figure("writes queued", number.format(ledger.queue)),
    figure("set aside", number.format(ledger.quarantined), ledger.quarantined ? "bad" : ""),
    figure("last commit took", micros(ledger.commit_us)),
    figure("commits", number.format(ledger.commits)),
    figure("records", number.format(ledger.records)),
    figure("on disk", bytes(ledger.disk_bytes)),
  );
}

function branch(depth, twig, ...content) {
  const cell = el("th", `depth-${depth}`, el("span", "branch", ...(twig ? [el("span", "twig", twig)] : []), ...content));
  cell.scope = "row";
  return cell;
}

function count(value) {
  return el("td", value ? "number" : "number zero", number.format(value));
}

function actorRow(actor, depth, twig, name) {
  const label = el("span", "", name);
  const fine = tone(actor) === "good";
  if (actor.last_fault) label.append(el("span", fine ? "fault was" : "fault", `${fine ? "earlier: " : ""}${actor.last_fault}`));
  return el("tr", "",
    branch(depth, twig, label),
    el("td", "", el("span", `dot ${tone(actor)}`, stateWords(actor))),
    count(actor.restarts),
    count(actor.mailbox),
    el("td", "number", ago(actor.last_progress_s)));
}

function groupRows(kind, members, twig, isLast) {
  const unwell = members.filter((it) => !it.healthy).length;
  const open = unfolded.get(kind) ?? (0 < unwell || members.length < FOLDED_FROM);
  const fold = el("button", "fold", open ? "fold" : "show all");
  fold.dataset.key = kind;
  fold.setAttribute("aria-expanded", String(open));
  fold.setAttribute("aria-label", `${open ? "fold" : "show all"} ${kind}`);
  fold.addEventListener("click", () => { unfolded.set(kind, !open); ask(); });
  const total = (figure) => members.reduce((sum, it) => sum + it[figure], 0);
  const words = unwell ? `${unwell} of ${members.length} unwell` : `${members.length} well`;
  const head = el("tr", "",
    branch(1, twig, `${kind} × ${number.format(members.length)}`, fold),
    el("td", "", el("span", `dot ${unwell ? "warn" : "good"}`, words)),
    count(total("restarts")),
    count(total("mailbox")),
    el("td", "number", ago(Math.min(...members.map((it) => it.last_progress_s)))));
  const row = (it, at) => {
    const end = at === members.length - 1 ? "└" : "├";
    return actorRow(it, 2, `${isLast ? "\u00a0" : "│"}\u00a0\u00a0${end}`, it.id);
  };
  return open ? [head, ...members.map(row)] : [head];
}

function showTree(status) {
  const kinds = new Map();
  for (const actor of status.actors) kinds.set(actor.kind, [...(kinds.get(actor.kind) ?? []), actor]);
  const [kind, title] = HALL[status.state] ?? ["quiet", status.state];
  const root = el("tr", "",
    branch(0, "", "root"),
    el("td", "", el("span", `dot ${kind}`, title === "All is well" ? "running" : status.state)),
    count(status.actors.reduce((sum, it) => sum + it.restarts, 0)),
    count(status.actors.reduce((sum, it) => sum + it.mailbox, 0)),
    el("td", "number", ""));
  const entries = [...kinds];
  const rows = entries.flatMap(([name, members], at) => {
    const isLast = at === entries.length - 1;
    const twig = isLast ? "└" : "├";
    return members.length === 1
      ? [actorRow(members[0], 1, twig, members[0].id)]
      : groupRows(name, members, twig, isLast);
  });
  const focused = document.activeElement?.dataset?.key;
  byId("tree").replaceChildren(root, ...rows);
  if (focused) byId("tree").querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  const more = byId("left-out");
  more.hidden = status.actors_left_out === 0;
  more.textContent = `and ${number.format(status.actors_left_out)} more, shown only when they need attention`;
}

function showList(id, items, none) {
  const rows = items.map(([what, kind, how]) =>
    el("li", "", el("span", "what", what), el("span", `how dot ${kind}`, how)));
  byId(id).replaceChildren(...(rows.length ? rows : [el("li", "", el("span", "how", none))]));
}

function show(status) {
  const lines = remarks(status);
  let [kind, title] = HALL[status.state] ?? ["quiet", status.state];
  if (status.state === "running" && lines.length) [kind, title] = ["warn", "The hall runs, with remarks"];
  if (status.checks.some((it) => !it.ok) && status.state === "degraded") [kind, title] = ["bad", "The hall cannot do all its work"];
  const hands = `${number.format(status.actors.length + status.actors_left_out)} actors do what is expected of them.`;
  showBanner(kind, title, kind === "good" ? [hands] : lines);
  byId("about").textContent = `${status.version} · up ${span(status.uptime_s)}`;
  showLedger(status.ledger);
  showTree(status);
  showList("checks", status.checks.map((it) => [it.name, it.ok ? "good" : "bad", it.ok ? "ready" : "not ready"]), "no checks");
  showList("bots", status.bots.map((it) => [`@${it.username}`, it.healthy ? "good" : "bad", `${it.mode}, ${ago(it.last_poll_s)}`]), "no bots");
  showList("breakers", status.breakers.map((it) => [it.model, ...(BREAKERS[it.state] ?? ["quiet", it.state])]), "no models");
  showList("agents", status.agents.map((it) => [it.name, it.paused ? "warn" : "good", it.paused ? "paused" : "at work"]), "no agents");
  showList("tools", status.tool_servers.map((it) => [it.name, it.problem ? (it.up ? "warn" : "bad") : "good",
    it.problem || `${it.tools} tools, ${number.format(it.calls)} calls, ${number.format(it.failures)} failed`]), "no tool servers");
}

// === Asking ===

async function ask() {
  try {
    const answer = await fetch("/status", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.status === 401) { location.assign("/login"); return; }
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    show(await answer.json());
    answeredAt = new Date();
    byId("asked").textContent = `answered at ${answeredAt.toLocaleTimeString()}`;
    document.body.classList.remove("old");
  } catch {
    const since = answeredAt ? `since ${answeredAt.toLocaleTimeString()}` : "so far";
    showBanner("bad", `No answer from the hall ${since}`, ["Figures below are old. Asking again every two seconds."]);
    document.body.classList.add("old");
  }
}

async function watch() {
  if (!document.hidden) await ask();
  setTimeout(watch, EVERY_MS);
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
watch();
