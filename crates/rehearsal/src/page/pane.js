// One person's screen: their chats, kept up to date by the server's events.

import { alertBox, ask, el, toast } from "./dom.js";
import { Composer } from "./composer.js";
import { INSIDE } from "./entities.js";
import { Messages, avatar, dots } from "./messages.js";

const ACTION_MS = 5500;
const RETRY_MS = 2000;
/** Stands for a press that was answered before its own reply came. */
const ANSWERED = () => {};
const DOING = {
  typing: "typing", upload_document: "sending a file", upload_photo: "sending a photo", record_voice: "recording",
  upload_voice: "sending a voice message", choose_sticker: "choosing a sticker", find_location: "looking for a place",
};

export class Pane {
  /** `changed()` is called when what is unread changes; `suggestions` are offered in private chats. */
  constructor(person, changed, suggestions) {
    Object.assign(this, { person, changed, chats: new Map(), waiting: new Map(), shown: null });
    const admin = person.role === "admin" ? ".admin" : "";
    this.offline = el("div.offline", { role: "status" }, "Connecting to the rehearsal server…");
    this.title = el("h2");
    this.state = el("p.state", { "aria-live": "polite" });
    this.face = el("div");
    this.head = el("header.head", {}, this.face, el("div", {}, this.title, this.state));
    this.strip = el("div.chats", { role: "tablist", "aria-label": `Chats of ${person.name}`, hidden: true });
    this.room = el("div.room");
    this.composer = new Composer(person, suggestions, {
      send: (text, replyTo) => this.send(text, replyTo),
      edit: (message, text) => this.change(message, text),
      stop: (draft_id) => this.post("/chat/stop", { chat: this.shown.id, draft_id }),
      sendFile: (file, text) => this.sendFile(file, text),
    });
    const phone = el("div.phone", {}, this.head, this.strip, this.offline, this.room, this.composer.root);
    this.root = el("section.pane", { "aria-label": `${person.name}, ${person.role}` },
      el("p.person", {}, avatar(person.name, person.id, true), person.name, el(`span.role${admin}`, {}, person.role)), phone);
    this.composer.enable(false);
  }

  get unread() {
    return [...this.chats.values()].reduce((sum, chat) => sum + chat.unread, 0);
  }

  connect() {
    if (this.source) return;
    const source = new EventSource(`/chat/events?person=${this.person.id}`);
    this.source = source;
    const on = (name, handle) => source.addEventListener(name, (event) => handle.call(this, JSON.parse(event.data)));
    on("snapshot", this.snapshot);
    on("message", this.message);
    on("edit", this.edit);
    on("delete", this.delete);
    on("draft", this.draft);
    on("draft_end", this.draftEnd);
    on("action", this.action);
    on("answer", this.answer);
    source.onerror = () => {
      this.online(false);
      if (source.readyState !== EventSource.CLOSED) return;
      this.source = null;
      setTimeout(() => this.connect(), RETRY_MS);
    };
  }

  disconnect() {
    this.source?.close();
    this.source = null;
    this.online(false);
  }

  online(on) {
    this.offline.hidden = on;
    this.composer.enable(on && this.shown !== null);
  }

  snapshot({ chats }) {
    this.composer.keep();
    const known = this.chats;
    this.chats = new Map();
    for (const chat of chats) this.add(chat, known.get(chat.id));
    const id = this.chats.has(this.shown?.id) ? this.shown.id : this.chats.keys().next().value;
    if (id === undefined) return;
    this.show(id);
    this.online(true);
  }

  add({ id, title, kind, messages }, known) {
    const byId = new Map(messages.map((message) => [message.message_id, message]));
    const chat = { id, title, kind, hue: id, messages: byId, drafts: new Map(), unread: 0, writing: known?.writing, keyboard: known?.keyboard };
    if (!known) for (const message of messages) keyboardOf(chat, message);
    this.chats.set(id, chat);
    return chat;
  }

  show(id) {
    const chat = this.chats.get(id);
    this.view?.close();
    this.shown = chat;
    chat.unread = 0;
    this.view = new Messages(this.person, chat, {
      send: (text) => (INSIDE.test(text) ? this.post("/chat/link", { link: text }) : this.send(text)),
      reply: (message) => this.composer.answer(message),
      edit: (message) => this.composer.edit(message),
      drafting: (draft) => this.composer.drafting(draft),
      press: (message_id, data) => this.post("/chat/press", { chat: id, message_id, data })
        .then((answer) => answer?.callback_query_id),
      await: (query, done) => this.await(String(query), done),
    });
    this.room.replaceWith(this.view.root);
    this.room = this.view.root;
    this.view.follow();
    this.title.textContent = chat.title;
    this.face.replaceChildren(avatar(chat.title, chat.hue));
    this.composer.show(chat);
    this.idle(chat);
    this.tabs();
    this.changed();
  }

  /** The row of chats, when there is more than one. */
  tabs() {
    this.strip.hidden = this.chats.size < 2;
    this.strip.replaceChildren(...[...this.chats.values()].map((chat) => {
      const badge = chat.unread ? el("span.badge", { "aria-label": `${chat.unread} unread` }, String(chat.unread)) : null;
      return el("button", { type: "button", role: "tab", "aria-selected": String(chat === this.shown), onclick: () => this.show(chat.id) },
        avatar(chat.title, chat.hue, true), chat.title, badge);
    }));
  }

  message(message) {
    const chat = this.chats.get(message.chat);
    if (!chat) return this.reconnect();
    chat.messages.set(message.message_id, message);
    if (message.from.is_bot) chat.drafts.clear();
    const keyboard = keyboardOf(chat, message);
    if (chat === this.shown) {
      this.view.arrive(message);
      if (message.from.is_bot) this.idle(chat);
      if (keyboard) this.composer.show(chat);
    }
    const visible = chat === this.shown && this.root.offsetParent !== null;
    if (!visible && message.from.id !== this.person.id) {
      chat.unread += 1;
      this.tabs();
      this.changed();
    }
  }

  /** Called when the person's tab is chosen: what is on the screen has been read. */
  seen() {
    if (this.shown) this.shown.unread = 0;
    this.tabs();
    this.view?.follow();
    this.changed();
  }

  /** A chat we do not know has come up: a new snapshot tells about it. */
  reconnect() {
    this.disconnect();
    this.connect();
  }

  edit(message) {
    const chat = this.chats.get(message.chat);
    if (!chat) return;
    chat.messages.set(message.message_id, message);
    if (chat === this.shown) this.view.edit(message);
  }

  delete({ chat: id, message_id }) {
    const chat = this.chats.get(id);
    if (!chat) return;
    chat.messages.delete(message_id);
    if (chat === this.shown) this.view.remove(message_id);
  }

  draft(draft) {
    const chat = this.chats.get(draft.chat);
    if (!chat) return;
    chat.drafts.set(draft.draft_id, draft);
    if (chat === this.shown) this.view.draft(draft);
  }

  draftEnd({ chat: id, draft_id }) {
    const chat = this.chats.get(id);
    if (!chat) return;
    chat.drafts.delete(draft_id);
    if (chat === this.shown) this.view.endDraft(draft_id);
  }

  action({ chat: id, action }) {
    const chat = this.chats.get(id);
    if (!chat) return;
    chat.doing = DOING[action] ?? "working";
    clearTimeout(chat.timer);
    chat.timer = setTimeout(() => this.idle(chat), ACTION_MS);
    if (chat !== this.shown) return;
    this.state.classList.add("busy");
    this.state.replaceChildren(chat.doing, dots());
  }

  idle(chat) {
    clearTimeout(chat.timer);
    chat.doing = null;
    if (chat !== this.shown) return;
    this.state.classList.remove("busy");
    this.state.textContent = chat.kind === "private" ? "bot" : "group";
  }

  /** Calls `done` once the bot has answered a press, which it may have before the press is known here. */
  await(query, done) {
    if (this.waiting.get(query) !== ANSWERED) return this.waiting.set(query, done);
    this.waiting.delete(query);
    done();
  }

  answer({ callback_query_id, text, show_alert }) {
    const query = String(callback_query_id), done = this.waiting.get(query);
    if (done) {
      this.waiting.delete(query);
      done();
    } else this.waiting.set(query, ANSWERED);
    if (text && show_alert) alertBox(text);
    else if (text) toast(text);
  }

  /** Sends a message to the chat on the screen; resolves to whether the server took it. */
  async send(text, reply_to) {
    return (await this.post("/chat/send", { chat: this.shown.id, text, reply_to })) !== undefined;
  }

  /** Changes a message of the person's own; resolves to whether the server took it. */
  async change({ message_id }, text) {
    return (await this.post("/chat/edit", { chat: this.shown.id, message_id, text })) !== undefined;
  }

  /** Sends a file as what it is: sound in OGG as a voice message, other sound as music, a picture as a photo. */
  async sendFile(file, text) {
    const query = new URLSearchParams({ person: this.person.id, chat: this.shown.id, name: file.name, text, ...(await formOf(file)) });
    try {
      const response = await fetch(`/chat/file?${query}`, { method: "POST", body: file });
      if (!response.ok) throw new Error((await response.text()) || `status ${response.status}`);
      return true;
    } catch (error) {
      toast(`Not sent: ${error.message}`);
      return false;
    }
  }

  async post(path, body) {
    try {
      return await ask(path, { person: this.person.id, ...body });
    } catch (error) {
      toast(`Not sent: ${error.message}`);
      return undefined;
    }
  }
}

/** As what a file is sent, with its length or its size. */
async function formOf(file) {
  if (file.type.startsWith("image/")) {
    try {
      const { width, height } = await createImageBitmap(file);
      return { kind: "photo", width, height };
    } catch {
      return { kind: "document" };
    }
  }
  if (!file.type.startsWith("audio/") && !/\.og[ga]$/.test(file.name)) return { kind: "document" };
  let seconds = 1;
  try {
    const sound = await new OfflineAudioContext(1, 1, 48_000).decodeAudioData(await file.arrayBuffer());
    seconds = Math.max(1, Math.round(sound.duration));
  } catch {
    // Its length is not known.
  }
  return { kind: /\.og[ga]$/.test(file.name) ? "voice" : "audio", seconds };
}

/** Takes a message's keyboard over to its chat; says whether there was one. */
function keyboardOf(chat, message) {
  const markup = message.reply_markup;
  if (markup?.keyboard) chat.keyboard = markup;
  else if (markup?.remove_keyboard) chat.keyboard = null;
  else return false;
  return true;
}
