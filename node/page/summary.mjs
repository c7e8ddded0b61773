// The summary that follows from a bundle's parts: SPEC 15.5. Compared byte for byte.

import { encoded } from "./bytes.mjs";
import { compareKeys } from "./parts.mjs";

// eslint-disable-next-line no-control-regex
const HIDDEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** A text without what would hide or turn it. */
export const plain = (text) => text.replace(HIDDEN, "\ufffd");

const escaped = (text) => plain(text).replace(/[&<>"]/g, (sign) => ESCAPES[sign]);

const LAST_SECOND = 253402300800;

/** A time as people read it, always in UTC. */
export function timeText(seconds) {
  if (seconds >= LAST_SECOND) return `second ${seconds}`;
  const [day, rest] = new Date(seconds * 1000).toISOString().split("T");
  return `${day} ${rest.slice(0, 8)} UTC`;
}

function valueText(value) {
  if (Array.isArray(value)) {
    return `<ol>${value.map((one) => `<li dir="auto">${valueText(one)}</li>`).join("")}</ol>`;
  }
  if (value !== null && typeof value === "object") {
    const rows = Object.keys(value).sort().map((name) =>
      `<dt>${escaped(name)}</dt><dd dir="auto">${valueText(value[name])}</dd>`);
    return `<dl>${rows.join("")}</dl>`;
  }
  return escaped(String(value));
}

function receiptText(decision) {
  if (decision === undefined) return "none in this file";
  const at = timeText(decision.at);
  return decision.kind === "message.accepted"
    ? `accepted by ${decision.to} at ${at}` : `refused by ${decision.to} at ${at}: ${decision.code}`;
}

const row = (name, value, attributes = "") => `<dt>${name}</dt><dd${attributes}>${value}</dd>`;

const article = (heading, rows) =>
  ["<article>", `<h2>${heading}</h2>`, "<dl>", ...rows, "</dl>", "</article>"];

/** Sort by number, those without one last, then by a key. */
const byNumber = (items) => items.sort((one, other) =>
  compareKeys([one.number ?? Infinity], [other.number ?? Infinity]) ||
  compareKeys(one.key, other.key));

/** Messages with their numbers and receipts, in the order in which people read them. */
export function inOrder({ messages, receipts }) {
  const decisions = new Map(receipts.map(({ decision }) => [decision.identity, decision]));
  return byNumber(messages.map(({ message, identity }) => {
    const decision = decisions.get(identity);
    const number = message.order ?? decision?.order ?? null;
    return { message, identity, decision, number, key: [message.from, message.seq] };
  }));
}

const messageArticle = ({ message, identity, decision, number }) =>
  article(`${number ?? "-"}. ${message.kind}, from ${message.from}`, [
    row("To", message.to), row("Written", timeText(message.created)),
    row("Receipt", receiptText(decision)), row("Identity", identity),
    row("Text", valueText(message.body), ' dir="auto"'),
  ]);

const receiptArticle = ({ decision, number }) =>
  article(`${number ?? "-"}. from ${decision.from}`, [
    row("To", decision.to), row("Receipt", receiptText(decision)),
    row("Identity", decision.identity),
  ]);

const HEAD = [
  '<meta charset="utf-8">',
  '<meta name="viewport" content="width=device-width, initial-scale=1">',
  '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">',
];

const STYLE = [
  "body { font: 1.1em/1.5 serif; max-width: 48em; margin: 2em auto; padding: 0 1em; color: #111; background: #fff; }",
  "h1, h2 { line-height: 1.2; overflow-wrap: anywhere; }",
  ".note { border-left: .3em solid #555; padding-left: 1em; }",
  "article { border-top: 1px solid #555; margin-top: 2em; }",
  "dt { font-weight: bold; }",
  "dd { margin: 0 0 .3em 1.5em; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }",
];

const NOTE = "This page is for reading. What is proved, and what is not, says only whoever verifies the " +
  "file that it came in: <b>comity verify</b>, or the page verify.html.";

/** The bytes that `summary.html` must have. */
export function summaryOf(bundle) {
  const { about } = bundle;
  const subject = about.case === null ? `Records of ${about.authority}` : `Case ${about.case}`;
  const title = about.proofs_only ? `${subject} (proofs only)` : subject;
  const proofs = byNumber(bundle.receipts.map(({ decision }) =>
    ({ decision, number: decision.order ?? null, key: [decision.identity] })));
  const lines = [
    "<!doctype html>", '<html lang="en">', "<head>", ...HEAD, `<title>${title}</title>`,
    "<style>", ...STYLE, "</style>", "</head>", "<body>", `<h1>${title}</h1>`,
    `<p class="note">${NOTE}</p>`, "<dl>",
    row("Network", about.network), row("Made by", about.authority),
    row("Made at", timeText(about.created)), row("Messages", about.counts.messages),
    row("Receipts", about.counts.receipts), row("Records", about.counts.records), "</dl>",
    ...(about.proofs_only ? proofs.flatMap(receiptArticle)
      : inOrder(bundle).flatMap(messageArticle)),
    "</body>", "</html>",
  ];
  return encoded(`${lines.join("\n")}\n`);
}
