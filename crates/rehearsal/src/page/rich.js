// The blocks of a rich message as DOM nodes. Text always becomes text nodes, and nothing is fetched.

import { copy, el, icon } from "./dom.js";

const SAFE_LINK = /^(https?|mailto):/i;
const STYLES = { bold: "strong", italic: "em", strikethrough: "s", underline: "u", code: "code" };

export function renderBlocks(blocks) {
  return blocks.map(block);
}

function block(it) {
  switch (it.type) {
    case "paragraph": return el("p", {}, ...words(it.text));
    // Under the page's own headings.
    case "heading": return el(`h${Math.min(it.size + 2, 6)}`, {}, ...words(it.text));
    case "pre": return pre(it);
    case "divider": return el("hr");
    case "mathematical_expression": return el("p.formula.alone", {}, it.expression);
    case "list": return list(it);
    case "blockquote": return el("blockquote", {}, ...renderBlocks(it.blocks));
    case "details": return el("details", { open: it.is_open === true }, el("summary", {}, ...words(it.summary)), ...renderBlocks(it.blocks));
    case "table": return table(it);
    default: return el("p", {}, ...words(it.text ?? ""));
  }
}

function words(text) {
  if (typeof text === "string") return [text];
  if (Array.isArray(text)) return text.flatMap(words);
  const tag = STYLES[text.type];
  if (tag) return [el(tag, {}, ...words(text.text))];
  if (text.type === "mathematical_expression") return [el("span.formula", {}, text.expression)];
  if (text.type === "url" && SAFE_LINK.test(text.url)) {
    return [el("a", { href: text.url, title: text.url, target: "_blank", rel: "noopener noreferrer" }, ...words(text.text))];
  }
  return words(text.text ?? "");
}

function pre(it) {
  const text = typeof it.text === "string" ? it.text : it.text.join("");
  const button = el("button.copy", { type: "button", onclick: () => copy(text) }, icon("copy"), "Copy");
  return el("figure.code", {}, el("figcaption", {}, el("span", {}, it.language || "text"), button),
    el("pre", { tabindex: "0" }, el("code", {}, text.replace(/\n$/, ""))));
}

function list(it) {
  const item = ({ label, blocks, has_checkbox, is_checked }) => {
    const mark = has_checkbox ? (is_checked ? "☑" : "☐") : label;
    return el("li", {}, el("span.mark", {}, mark), el("div", {}, ...renderBlocks(blocks)));
  };
  return el("ul.items", {}, ...it.items.map(item));
}

function table(it) {
  const cell = ({ text, is_header, align }) =>
    el(`${is_header ? "th" : "td"}.${["center", "right"].includes(align) ? align : "left"}`, {}, ...words(text ?? ""));
  return el("div.table", { tabindex: "0" }, el("table", {}, ...it.cells.map((row) => el("tr", {}, ...row.map(cell)))));
}
