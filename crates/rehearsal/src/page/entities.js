// Telegram's text with entities as DOM nodes. Offsets and lengths are in UTF-16 units, as in JavaScript.

import { copy, el, icon } from "./dom.js";

const SAFE_LINK = /^(https?|mailto|tel|tg):/i;
export const INSIDE = /^https:\/\/t\.me\/(newbot\/\w+\/\w+|\w+\?start=[\w-]+$)/i;
const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);
const PLAIN = /(https?:\/\/[^\s<>"]+[^\s<>"'.,;:!?)\]])|(?<![\w/])(\/[a-z][a-z0-9_]{0,31}(?:@\w+)?)(?![\w/])/gi;

/** The nodes of a text. `onCommand(text)` is called when a command in it is clicked. */
export function render(text, entities = [], onCommand) {
  const sorted = [...entities]
    .filter((entity) => entity.length > 0 && entity.offset < text.length)
    .sort((a, b) => a.offset - b.offset || b.length - a.length);
  return range(text, sorted, 0, text.length, onCommand);
}

function range(text, entities, start, end, onCommand) {
  const nodes = [];
  let at = start;
  while (entities.length > 0) {
    const [entity, ...rest] = entities;
    const from = Math.max(entity.offset, at);
    const to = Math.min(entity.offset + entity.length, end);
    entities = rest;
    if (to <= from) continue;
    if (from > at) nodes.push(...plain(text.slice(at, from), onCommand));
    const inside = rest.filter((other) => other.offset < to);
    entities = rest.filter((other) => other.offset >= to);
    nodes.push(wrap(entity, text.slice(from, to), () => range(text, inside, from, to, onCommand), onCommand));
    // A block ends its own line, so the line break behind it would show as an empty one.
    at = BLOCKS.has(entity.type) && text[to] === "\n" ? to + 1 : to;
  }
  if (at < end) nodes.push(...plain(text.slice(at, end), onCommand));
  return nodes;
}

function wrap(entity, text, children, onCommand) {
  switch (entity.type) {
    case "bold": return el("strong", {}, ...children());
    case "italic": return el("em", {}, ...children());
    case "underline": return el("u", {}, ...children());
    case "strikethrough": return el("s", {}, ...children());
    case "code": return el("code", {}, text);
    case "pre": return pre(text, entity.language);
    case "spoiler": return spoiler(children());
    case "blockquote": return el("blockquote", {}, ...children());
    case "expandable_blockquote": return expandable(children());
    case "text_link": return link(entity.url, children(), onCommand);
    case "url": return link(/^[a-z]+:/i.test(text) ? text : `https://${text}`, [text], onCommand);
    case "email": return link(`mailto:${text}`, [text]);
    case "phone_number": return link(`tel:${text.replace(/[^+\d]/g, "")}`, [text]);
    case "bot_command": return command(text, onCommand);
    case "mention": case "text_mention": case "hashtag": case "cashtag":
      return el("span.mention", {}, ...children());
    default: return el("span", {}, ...children());
  }
}

/** Text without entities; addresses and commands in it are live, as in Telegram's own clients. */
function plain(text, onCommand) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(PLAIN)) {
    if (match.index > at) nodes.push(text.slice(at, match.index));
    nodes.push(match[1] ? link(match[1], [match[1]], onCommand) : command(match[2], onCommand));
    at = match.index + match[0].length;
  }
  if (at < text.length) nodes.push(text.slice(at));
  return nodes;
}

function command(text, onCommand) {
  if (!onCommand) return text;
  return el("button.command", { type: "button", onclick: () => onCommand(text) }, text);
}

/** A link into Telegram opens here, in this rehearsal of it. */
function link(url, children, onCommand) {
  if (onCommand && INSIDE.test(url ?? "")) {
    return el("button.command", { type: "button", title: url, onclick: () => onCommand(url) }, ...children);
  }
  if (!SAFE_LINK.test(url ?? "")) return el("span", { title: url }, ...children);
  return el("a", { href: url, title: url, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

function pre(text, language) {
  const button = el("button.copy", { type: "button", onclick: () => copy(text) }, icon("copy"), "Copy");
  return el("figure.code", {},
    el("figcaption", {}, el("span", {}, language || "text"), button),
    el("pre", { tabindex: "0" }, el("code", {}, text)));
}

function spoiler(children) {
  const node = el("span.spoiler", { role: "button", tabindex: "0", "aria-label": "Spoiler, press to show" },
    el("span", {}, ...children));
  const show = () => {
    node.classList.add("shown");
    for (const name of ["role", "tabindex", "aria-label"]) node.removeAttribute(name);
  };
  node.onclick = show;
  node.onkeydown = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    show();
  };
  return node;
}

function expandable(children) {
  const body = el("span.folded", {}, ...children);
  const button = el("button.more", { type: "button", "aria-expanded": "false" }, "Show more");
  button.onclick = () => {
    const folded = body.classList.toggle("folded");
    button.textContent = folded ? "Show more" : "Show less";
    button.setAttribute("aria-expanded", String(!folded));
  };
  // Where nothing is cut there is nothing more to show.
  new ResizeObserver(() => {
    button.hidden = body.classList.contains("folded") && body.scrollHeight <= body.clientHeight + 1;
  }).observe(body);
  return el("blockquote", {}, body, button);
}
