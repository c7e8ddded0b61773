// Elements made of texts. Nothing here, or anywhere in the page, makes markup of a text.

import { plain } from "./summary.mjs";

/** An element with attributes and children; texts become text, shown in their own direction. */
export function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) made.setAttribute(name, value);
  for (const child of children.flat()) {
    if (child !== null) made.append(typeof child === "object" ? child : String(child));
  }
  return made;
}

/** A text that others wrote: on its own, so that it turns nothing around it. */
export const theirs = (text) => element("bdi", { dir: "auto" }, plain(String(text)));
export const hash = (text) => element("span", { class: "hash", dir: "ltr" }, plain(text));
export const list = (items) =>
  items.length === 0 ? null : element("ul", null, items.map((one) => element("li", null, theirs(one))));

export const pairs = (rows) => element("dl", null, rows.flatMap(([name, value]) =>
  [element("dt", null, name), element("dd", null, value)]));

/** Any JSON value, as nested lists of texts. */
export function valueOf(value) {
  if (Array.isArray(value)) {
    return element("ol", null, value.map((one) => element("li", { dir: "auto" }, valueOf(one))));
  }
  if (value !== null && typeof value === "object") {
    return element("dl", null, Object.keys(value).sort().flatMap((name) => [
      element("dt", null, theirs(name)), element("dd", { dir: "auto" }, valueOf(value[name]))]));
  }
  return document.createTextNode(plain(String(value)));
}

/** A table whose cells know their column, for screens too narrow for columns. */
export function table(caption, columns, rows) {
  const head = element("tr", null, columns.map((name) => element("th", { scope: "col" }, name)));
  const body = rows.map((cells) => element("tr", null, cells.map((cell, at) =>
    element("td", { "data-label": columns[at] }, cell))));
  return element("table", null, element("caption", null, caption),
    element("thead", null, head), element("tbody", null, body));
}
