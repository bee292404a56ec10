// Sentences and samples to try, one click each, a kind at a time.

import { el, toast } from "./dom.js";

export class Tries {
  /** `send(text)` and `sendFile(file, text)` resolve to whether it was taken. */
  constructor(suggestions, send, sendFile) {
    Object.assign(this, { send, sendFile });
    const kinds = Map.groupBy(suggestions, ({ shows }) => shows ?? "");
    this.rows = new Map([...kinds].map(([kind, all]) =>
      [kind, el("div", { role: "group", "aria-label": kind }, ...all.map((suggestion) => this.button(suggestion)))]));
    this.kinds = [...kinds.keys()].map((kind) => el("button.kind", { type: "button", onclick: () => this.choose(kind) }, kind));
    this.root = el("div.tries", { hidden: true }, el("div", {}, el("span", {}, "Try:"), ...this.kinds), ...this.rows.values());
    this.choose(kinds.keys().next().value);
  }

  choose(kind) {
    for (const [name, row] of this.rows) row.hidden = name !== kind;
    for (const button of this.kinds) button.setAttribute("aria-pressed", String(button.textContent === kind));
  }

  button({ label, text, file }) {
    const button = el("button.try", { type: "button", title: text || label }, label);
    button.onclick = () => (file ? this.sample(file, text) : this.send(text));
    return button;
  }

  /** Sends a sample that the page's own server has. */
  async sample(name, text) {
    try {
      const response = await fetch(`/samples/${name}`);
      if (!response.ok) throw new Error(`status ${response.status}`);
      const type = response.headers.get("content-type");
      await this.sendFile(new File([await response.blob()], name, { type }), text);
    } catch (error) {
      toast(`Not sent: ${error.message}`);
    }
  }

  show(on) {
    this.root.hidden = !on || this.kinds.length === 0;
  }

  enable(on) {
    for (const button of this.root.querySelectorAll("button")) button.disabled = !on;
  }
}
