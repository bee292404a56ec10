// The operator's desk: buttons that run commands of the hall, what they said, and things to try.

import { ask, el, icon } from "./dom.js";

const WIDE = matchMedia("(min-width: 1200px)");

export class Desk {
  constructor({ buttons, tips }) {
    this.root = document.getElementById("desk");
    this.toggle = document.getElementById("desk-switch");
    this.said = el("div.said", { role: "log", "aria-live": "polite", "aria-label": "What the commands said", hidden: true });
    this.keys = buttons.map((button) =>
      el("button.try", { type: "button", title: button.about, onclick: () => this.press(button) }, button.label));
    const close = el("button.round", { type: "button", "aria-label": "Close the desk", onclick: () => this.open(false) }, icon("close"));
    this.root.replaceChildren(
      el("header.desk-head", {}, el("div", {}, el("h2", {}, "Operator’s desk"), el("p", {}, "Each button runs the real command against this hall.")), close),
      el("div.desk-body", {}, el("div.desk-keys", { role: "group", "aria-label": "Commands" }, ...this.keys), this.said,
        el("details.tips", { open: true }, el("summary", {}, "Things to try"),
          el("ol", {}, ...tips.map(({ title, text }) => el("li", {}, el("b", {}, title), ` ${text}`))))));
    this.toggle.hidden = false;
    this.toggle.onclick = () => this.open(this.root.hidden);
    this.root.onkeydown = (event) => {
      if (event.key === "Escape" && !WIDE.matches) this.open(false);
    };
    WIDE.onchange = () => this.open(WIDE.matches);
    this.open(WIDE.matches);
  }

  open(on) {
    this.root.hidden = !on;
    this.toggle.setAttribute("aria-expanded", String(on));
    if (on && !WIDE.matches) this.root.querySelector("button").focus();
    else if (!on && this.root.contains(document.activeElement)) this.toggle.focus();
  }

  async press({ name, command }) {
    for (const key of this.keys) key.disabled = true;
    const words = el("pre.desk-words.thinking", {}, "…");
    const entry = el("article", {}, el("code", {}, command), words);
    this.said.replaceChildren(entry);
    this.said.hidden = false;
    try {
      const ran = await ask("/desk/press", { button: name });
      words.textContent = ran.words.trim();
      words.classList.toggle("bad", !ran.is_good);
      if (ran.page) this.show(entry, ran.page);
    } catch (error) {
      words.textContent = error.message;
      words.classList.add("bad");
    }
    words.classList.remove("thinking");
    for (const key of this.keys) key.disabled = false;
  }

  /** Opens what was made in a tab of its own; the link stays for browsers that do not allow that. */
  show(entry, page) {
    const link = el("a.pill", { href: page, target: "_blank", rel: "noopener" }, "Open the report", icon("open"));
    entry.append(link);
    window.open(page, "_blank", "noopener");
  }
}
