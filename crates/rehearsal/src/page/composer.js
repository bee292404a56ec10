// Where a person writes: the field, the command menu, the bar of what is replied to or edited, and the bot's keyboard.

import { ask, el, icon } from "./dom.js";
import { Tries } from "./tries.js";

const FIELD_PX_MAX = 168;
let menus = 0;

export class Composer {
  /**
   * `send(text, replyTo)` resolves to whether the message was taken, and so does `sendFile(file, text)`;
   * `edit(message, text)` changes one; `stop(draft)` stops an answer.
   */
  constructor(person, suggestions, { send, edit, stop, sendFile }) {
    Object.assign(this, { person, send, change: edit, stop, sendFile, chat: null, replying: null, editing: null, options: [], at: 0, commands: [] });
    const id = `menu-${menus += 1}`;
    this.menu = el("div.menu", { id, role: "listbox", "aria-label": "Commands", tabindex: "-1", hidden: true });
    this.reply = el("div.answering", { hidden: true });
    this.keyboard = el("div.keyboard", { hidden: true, "aria-label": "Suggested answers" });
    this.field = el("textarea", {
      rows: "1", placeholder: "Message", "aria-label": "Message", maxlength: "4096", autocomplete: "off",
      "aria-autocomplete": "list", "aria-haspopup": "listbox", "aria-controls": id,
    });
    this.tries = new Tries(suggestions, send, sendFile);
    this.slash = el("button.round", { type: "button", "aria-label": "Commands", title: "Commands", onclick: () => this.toggle() }, icon("slash"));
    this.picker = el("input", { type: "file", hidden: true, tabindex: "-1" });
    this.picker.onchange = () => this.attach();
    this.clip = el("button.round", {
      type: "button", "aria-label": "Send a voice message, a picture or a file", title: "Send a file",
      onclick: () => this.picker.click(),
    }, icon("clip"));
    this.button = el("button.round.send", { type: "submit", "aria-label": "Send", title: "Send" }, icon("send"));
    this.halt = el("button.stop", { type: "button", hidden: true }, icon("stop"), el("span"));
    this.form = el("form.composer", {}, this.slash, this.clip, this.picker, this.field, this.halt, this.button);
    this.root = el("footer.foot", {}, this.menu, this.reply, this.keyboard, this.tries.root, this.form);
    this.field.oninput = () => this.typed();
    this.field.onkeydown = (event) => this.pressed(event);
    this.field.onblur = () => setTimeout(() => this.hide(), 150);
    this.form.onsubmit = (event) => {
      event.preventDefault();
      this.submit();
    };
    this.typed();
  }

  /** Leaves what is being written with its chat. */
  keep() {
    if (this.chat) this.chat.writing = this.field.value;
  }

  /** Turns to another chat; what was being written stays with its chat. */
  show(chat) {
    if (this.chat !== chat) this.keep();
    if (this.chat !== chat) this.field.value = chat.writing ?? "";
    this.chat = chat;
    this.tries.show(chat.kind === "private");
    this.field.placeholder = chat.keyboard?.input_field_placeholder ?? "Message";
    this.answer(null);
    this.keys(chat.keyboard);
    this.drafting(chat.drafts.keys().next().value);
    this.refresh();
    this.typed();
  }

  /** Asks anew which commands there are: the bot may have changed them. */
  async refresh() {
    const chat = this.chat;
    try {
      const menu = await ask(`/chat/commands?person=${this.person.id}&chat=${chat.id}`);
      if (chat === this.chat) this.commands = menu.commands ?? [];
    } catch {
      this.commands = [];
    }
    this.slash.hidden = this.commands.length === 0;
  }

  /** Offers to stop the draft with this id, or nothing while there is none. */
  drafting(draft) {
    this.halt.hidden = draft === undefined;
    if (draft === this.draft) return;
    this.draft = draft;
    this.halt.disabled = false;
    this.halt.lastChild.textContent = "Stop";
    this.halt.onclick = () => {
      this.halt.disabled = true;
      this.halt.lastChild.textContent = "Stopping…";
      this.stop(draft);
    };
  }

  enable(on) {
    for (const node of [this.field, this.slash, this.clip]) node.disabled = !on;
    this.tries.enable(on);
    this.online = on;
    this.typed();
  }

  /** Shows the bot's keyboard in place of ours, or none. */
  keys(markup) {
    const rows = markup?.keyboard ?? [];
    const once = () => {
      if (markup.one_time_keyboard) this.keys(null);
    };
    const key = (spec) => {
      const text = typeof spec === "string" ? spec : spec.text;
      return el("button.key", { type: "button", onclick: () => this.send(text).then(once) }, text);
    };
    this.keyboard.replaceChildren(...rows.map((row) => el("div", {}, ...row.map(key))));
    this.keyboard.hidden = rows.length === 0;
  }

  /** Begins or ends an answer to one message. */
  answer(message) {
    this.about(message, null);
  }

  /** Begins to edit a message of the person's own. */
  edit(message) {
    this.about(null, message);
    this.field.value = message.text;
    this.typed();
  }

  /** Shows above the field what is replied to or edited, or nothing. */
  about(replying, editing) {
    if (this.editing && !editing) {
      this.field.value = "";
      this.typed();
    }
    Object.assign(this, { replying, editing });
    const message = editing ?? replying;
    this.reply.hidden = !message;
    if (!message) return this.reply.replaceChildren();
    const text = message.text || message.document?.file_name || "";
    const close = el("button.round", { type: "button", "aria-label": editing ? "Do not edit" : "Do not reply", onclick: () => this.answer(null) }, icon("close"));
    const name = editing ? "Edit" : message.from.name;
    this.reply.replaceChildren(icon(editing ? "edit" : "reply"), el("p", {}, el("b", {}, `${name} `), text.slice(0, 160)), close);
    this.field.focus();
  }

  typed() {
    this.field.style.height = "40px";
    const needed = this.field.scrollHeight;
    this.field.style.height = `${Math.max(40, Math.min(needed, FIELD_PX_MAX))}px`;
    this.field.style.overflowY = needed > FIELD_PX_MAX ? "auto" : "hidden";
    this.button.disabled = !this.online || this.field.value.trim() === "";
    const word = /^\/([a-z0-9_]*)$/i.exec(this.field.value);
    if (word) this.offer(word[1].toLowerCase());
    else this.hide();
  }

  toggle() {
    if (!this.menu.hidden) return this.hide();
    this.field.focus();
    this.refresh().then(() => this.offer(""));
  }

  offer(word) {
    const begins = this.commands.filter((command) => command.command.startsWith(word));
    const within = this.commands.filter((command) => !begins.includes(command) && command.command.includes(word));
    this.options = [...begins, ...within];
    if (this.options.length === 0) return this.hide();
    const rows = this.options.map((option, index) => {
      const row = el("div", { role: "option", tabindex: "-1", id: `${this.menu.id}-${index}` }, el("b", {}, `/${option.command}`), el("span", {}, option.description));
      row.onpointerdown = (event) => {
        event.preventDefault();
        this.choose(index);
      };
      return row;
    });
    this.menu.replaceChildren(...rows, el("p", {}, "↑ ↓ to choose · Enter to send · Tab to add words"));
    this.menu.hidden = false;
    this.mark(0);
  }

  mark(index) {
    this.at = (index + this.options.length) % this.options.length;
    [...this.menu.querySelectorAll("[role=option]")].forEach((row, i) => {
      row.setAttribute("aria-selected", String(i === this.at));
      if (i === this.at) row.scrollIntoView({ block: "nearest" });
    });
    this.field.setAttribute("aria-activedescendant", `${this.menu.id}-${this.at}`);
  }

  hide() {
    this.menu.hidden = true;
    this.field.removeAttribute("aria-activedescendant");
  }

  choose(index) {
    this.field.value = `/${this.options[index].command}`;
    this.hide();
    this.submit();
  }

  pressed(event) {
    if (event.isComposing) return;
    const open = !this.menu.hidden;
    const does = {
      ArrowDown: () => this.mark(this.at + 1),
      ArrowUp: () => this.mark(this.at - 1),
      Enter: () => this.choose(this.at),
      Tab: () => {
        this.field.value = `/${this.options[this.at].command} `;
        this.typed();
      },
      Escape: () => this.hide(),
    }[event.key];
    if (open && does && !event.shiftKey) {
      event.preventDefault();
      does();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape") this.answer(null);
  }

  /** Sends the file that was picked, with what is written as its caption. */
  async attach() {
    const [file] = this.picker.files;
    this.picker.value = "";
    if (!file || !this.online || this.sending) return;
    this.sending = true;
    const taken = await this.sendFile(file, this.field.value.trim());
    this.sending = false;
    if (!taken) return;
    this.field.value = "";
    this.typed();
    this.field.focus();
  }

  async submit() {
    const text = this.field.value.trim();
    if (!text || !this.online || this.sending) return;
    this.sending = true;
    const taken = await (this.editing ? this.change(this.editing, text) : this.send(text, this.replying?.message_id));
    this.sending = false;
    if (!taken) return;
    this.field.value = "";
    this.answer(null);
    this.typed();
    this.field.focus();
  }
}
