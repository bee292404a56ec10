// One chat's messages on the screen: bubbles, drafts, buttons, and where the reader is in them.

import { copy, el, icon } from "./dom.js";
import { render } from "./entities.js";
import { renderBlocks } from "./rich.js";

const SHOWN_MAX = 400;
const GROUP_S = 300;
const STUCK_PX = 60;
const ANSWER_MS = 20_000;

const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const date = new Intl.DateTimeFormat("en", { month: "long", day: "numeric" });

/** A colour of its own for each sender, dark enough for white letters on it. */
export function paint(node, id) {
  const hue = (Math.abs(Number(id)) * 47 + 168) % 360;
  node.style.setProperty("--hue-bg", `hsl(${hue} 45% 36%)`);
  node.style.setProperty("--hue", `light-dark(hsl(${hue} 60% 32%), hsl(${hue} 60% 72%))`);
  return node;
}

export function avatar(name, id, small) {
  const letters = name.trim().split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? "").join("");
  return paint(el(small ? "span.avatar.small" : "span.avatar", { "aria-hidden": "true" }, letters.toUpperCase()), id);
}

function dayOf(seconds) {
  const then = new Date(seconds * 1000).toDateString();
  if (then === new Date().toDateString()) return "Today";
  if (then === new Date(Date.now() - 86_400_000).toDateString()) return "Yesterday";
  return date.format(seconds * 1000);
}

/** The list of one chat. `chat` holds its messages and drafts; `act` carries out what the reader does. */
export class Messages {
  constructor(person, chat, act) {
    Object.assign(this, { person, chat, act, newer: 0, top: 0 });
    this.list = el("div.list", { role: "log", "aria-label": `Messages with ${chat.title}`, tabindex: "0" });
    this.button = el("button.newer", { type: "button", hidden: true, onclick: () => this.toEnd() }, icon("down"), el("span"));
    this.root = el("div.room", {}, this.list, this.button);
    this.nodes = new Map();
    this.drafts = new Map();
    this.stuck = true;
    this.list.onscroll = () => {
      // Only the reader moves up; a list that grew or shrank under them did not unstick them.
      const { scrollTop, scrollHeight, clientHeight } = this.list;
      const up = scrollTop < this.top;
      this.top = scrollTop;
      this.stuck = scrollHeight - scrollTop - clientHeight < STUCK_PX || (this.stuck && !up);
      if (this.stuck) this.seen();
    };
    this.observer = new ResizeObserver(() => this.stuck && this.follow());
    this.observer.observe(this.list);
    for (const message of [...chat.messages.values()].slice(-SHOWN_MAX)) this.append(message);
    for (const draft of chat.drafts.values()) this.draft(draft);
    this.emptiness();
    this.follow();
  }

  close() {
    this.observer.disconnect();
  }

  follow() {
    this.list.scrollTop = this.list.scrollHeight;
  }

  toEnd() {
    this.list.scrollTo({ top: this.list.scrollHeight, behavior: "smooth" });
    this.seen();
  }

  seen() {
    this.newer = 0;
    this.button.hidden = true;
  }

  /** Runs a change and keeps the reader at the end if they were there. */
  keeping(change) {
    const stuck = this.stuck;
    change();
    if (stuck) this.follow();
  }

  /** A message that has just come. The bot's takes the place of its draft. */
  arrive(message) {
    const mine = message.from.id === this.person.id;
    this.keeping(() => {
      const [draft] = message.from.is_bot ? this.drafts.values() : [];
      if (draft) draft.node.remove();
      if (message.from.is_bot) this.clearDrafts();
      const node = this.append(message);
      if (!draft) node.classList.add("fresh");
      this.emptiness();
      while (this.nodes.size > SHOWN_MAX) this.drop(this.nodes.keys().next().value);
    });
    if (mine) this.follow();
    else if (!this.stuck) {
      this.newer += 1;
      this.button.hidden = false;
      this.button.lastChild.textContent = `${this.newer} new`;
    }
  }

  append(message) {
    const node = this.build(message);
    const before = this.tail();
    if (!before?.message || dayOf(before.message.date) !== dayOf(message.date)) {
      this.place(el("div.day", {}, dayOf(message.date)));
    }
    this.nodes.set(message.message_id, node);
    this.place(node);
    this.join(node);
    return node;
  }

  tail() {
    return [...this.nodes.values()].at(-1);
  }

  place(node) {
    const [draft] = this.drafts.values();
    this.list.insertBefore(node, draft?.node ?? null);
  }

  /** Marks where a run of one sender's messages begins and ends. */
  join(node) {
    const before = node.previousElementSibling;
    const joined = before?.message && before.message.from.id === node.message.from.id
      && node.message.date - before.message.date < GROUP_S;
    node.classList.toggle("first", !joined);
    node.classList.add("last");
    if (joined) before.classList.remove("last");
  }

  edit(message) {
    const old = this.nodes.get(message.message_id);
    if (!old) return;
    this.keeping(() => {
      const node = this.build(message);
      node.classList.add(...["first", "last"].filter((name) => old.classList.contains(name)));
      old.replaceWith(node);
      this.nodes.set(message.message_id, node);
    });
  }

  remove(id) {
    const node = this.nodes.get(id);
    if (!node) return;
    this.nodes.delete(id);
    node.classList.add("gone");
    setTimeout(() => this.keeping(() => {
      node.remove();
      for (const other of this.nodes.values()) this.join(other);
      this.emptiness();
    }), 180);
  }

  drop(id) {
    this.nodes.get(id)?.remove();
    this.nodes.delete(id);
    const [first, second] = this.list.children;
    if (first?.className === "day" && second?.className === "day") first.remove();
  }

  /** A message on its way: drawn anew in place with each part that comes. */
  draft(draft) {
    this.keeping(() => {
      let shown = this.drafts.get(draft.draft_id);
      if (!shown) {
        const words = el("span.words");
        const bubble = el("div.bubble", {}, words, el("span.meta", {}, clock.format(Date.now())));
        const node = el("div.message.first.last.fresh", { "aria-busy": "true" }, bubble);
        shown = { node, words };
        this.list.append(node);
        this.drafts.set(draft.draft_id, shown);
      }
      shown.words.className = draft.rich_message ? "words rich caret" : draft.text ? "words caret" : "words thinking";
      this.act.drafting(draft.draft_id);
      const written = () => (draft.text ? render(draft.text, draft.entities) : ["Thinking", dots()]);
      shown.words.replaceChildren(...(draft.rich_message ? renderBlocks(draft.rich_message.blocks) : written()));
      this.emptiness();
    });
  }

  endDraft(id) {
    this.keeping(() => {
      this.drafts.get(id)?.node.remove();
      this.drafts.delete(id);
      this.act.drafting(this.drafts.keys().next().value);
    });
  }

  clearDrafts() {
    for (const id of [...this.drafts.keys()]) this.endDraft(id);
  }

  emptiness() {
    const empty = this.nodes.size === 0 && this.drafts.size === 0;
    this.list.querySelector(".empty")?.remove();
    if (!empty) return;
    this.list.querySelectorAll(".day").forEach((day) => day.remove());
    const start = el("button.primary", { type: "button", onclick: () => this.act.send("/start") }, "START");
    const words = this.chat.kind === "private"
      ? "This is the beginning of your chat. Press START and the bot says what it can do."
      : "Nothing has been said here yet. Mention the bot to call it.";
    this.list.append(el("div.empty", {}, avatar(this.chat.title, this.chat.hue), el("h3", {}, this.chat.title),
      el("p", {}, words), this.chat.kind === "private" ? start : null));
  }

  build(message) {
    const mine = message.from.id === this.person.id;
    const bubble = el("div.bubble");
    if (this.chat.kind !== "private" && !mine) {
      bubble.append(paint(el("span.name", {}, message.from.name), message.from.id));
    }
    if (message.reply_to) bubble.append(this.quote(message.reply_to));
    if (message.document) bubble.append(file(message.document));
    if (message.rich_message) {
      bubble.append(el("div.words.rich", {}, ...renderBlocks(message.rich_message.blocks)));
    } else if (message.text) {
      const command = (text) => this.act.send(text);
      bubble.append(el("span.words", {}, ...render(message.text, message.entities, command)));
    }
    const edited = message.edit_date ? "edited " : "";
    const time = clock.format(message.date * 1000);
    bubble.append(el("span.meta", {}, `${edited}${time}`, mine ? icon("check") : null));
    const reply = el("button.act.round", { type: "button", "aria-label": "Reply", title: "Reply", onclick: () => this.act.reply(message) }, icon("reply"));
    const edit = mine && message.text && !message.document
      ? el("button.act.round", { type: "button", "aria-label": "Edit", title: "Edit", onclick: () => this.act.edit(message) }, icon("edit"))
      : null;
    const node = el(mine ? "div.message.mine" : "div.message", {}, bubble, el("div.acts", {}, reply, edit));
    const rows = message.reply_markup?.inline_keyboard;
    if (rows?.length) node.append(this.keys(message, rows));
    node.message = message;
    return node;
  }

  quote(id) {
    const message = this.chat.messages.get(id);
    const text = message ? message.text || message.document?.file_name || "" : "A message that is gone";
    const show = () => {
      const node = this.nodes.get(id);
      node?.scrollIntoView({ block: "center", behavior: "smooth" });
      node?.classList.add("found");
      setTimeout(() => node?.classList.remove("found"), 1500);
    };
    const name = message ? (message.from.id === this.person.id ? "You" : message.from.name) : "";
    return el("button.quote", { type: "button", onclick: show }, el("b", {}, name), el("span", {}, text.slice(0, 120)));
  }

  keys(message, rows) {
    return el("div.keys", {}, ...rows.map((row) => el("div", {}, ...row.map((key) => this.key(message, key)))));
  }

  key(message, key) {
    const style = ["primary", "danger", "success"].includes(key.style) ? `.${key.style}` : "";
    if (/^https?:/i.test(key.url ?? "")) {
      return el(`a.key${style}`, { href: key.url, title: key.url, target: "_blank", rel: "noopener noreferrer" }, `${key.text} ↗`);
    }
    const button = el(`button.key${style}`, { type: "button", disabled: key.disabled === true }, key.text);
    if (key.copy_text) button.onclick = () => copy(key.copy_text.text);
    else if (key.callback_data !== undefined) button.onclick = () => this.press(message, key, button);
    else button.disabled = true;
    return button;
  }

  /** Presses a button and turns its wheel until the bot answers or the patience ends. */
  async press(message, key, button) {
    const done = () => {
      button.classList.remove("waiting");
      button.disabled = false;
    };
    button.classList.add("waiting");
    button.disabled = true;
    const query = await this.act.press(message.message_id, key.callback_data);
    if (query === undefined) return done();
    this.act.await(query, done);
    setTimeout(done, ANSWER_MS);
  }
}

function file(document) {
  const size = document.file_size ? bytes(document.file_size) : "Document";
  const length = document.seconds ? `${Math.floor(document.seconds / 60)}:${String(document.seconds % 60).padStart(2, "0")} · ` : "";
  const name = { voice: "Voice message", photo: "Picture" }[document.kind] ?? document.file_name;
  const href = /^(https?:\/\/|\/(?!\/))/.test(document.url ?? "") ? document.url : null;
  return el(href ? "a.file" : "div.file", { href, download: href ? document.file_name : null },
    icon({ voice: "voice", audio: "voice" }[document.kind] ?? "file"),
    el("span", {}, el("b", {}, name), el("small", {}, `${length}${size}${href ? " · Download" : ""}`)));
}

function bytes(count) {
  if (count < 1024) return `${count} B`;
  if (count < 1024 * 1024) return `${(count / 1024).toFixed(1)} KB`;
  return `${(count / 1024 / 1024).toFixed(1)} MB`;
}

export function dots() {
  return el("span.dots", { "aria-hidden": "true" }, el("i"), el("i"), el("i"));
}
