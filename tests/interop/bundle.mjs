// Vectors of bundles: in whole, or by what differs from one (tests/vectors/README.md).

import { fromBase64, refuse, Refusal } from "../../node/page/bytes.mjs";
import { verifyBundle } from "../../node/page/bundle.mjs";

const LOCAL = 0x04034b50;

function join(parts) {
  const made = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    made.set(part, at);
    at += part.length;
  }
  return made;
}

const ascii = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return (value ^ 0xffffffff) >>> 0;
}

/** Write numbers as the letters of a form say: H two bytes, I four, little-endian. */
function packed(form, ...values) {
  const made = new DataView(new ArrayBuffer(64));
  let at = 0;
  [...form].forEach((letter, place) => {
    if (letter === "H") made.setUint16(at, values[place], true);
    else made.setUint32(at, values[place], true);
    at += letter === "H" ? 2 : 4;
  });
  return new Uint8Array(made.buffer, 0, at);
}

/** SPEC 15.1, the other way round than the page needs it. */
function pack(entries) {
  const bodies = [];
  const list = [];
  let offset = 0;
  for (const [name, content] of entries) {
    const same = [crc32(content), content.length, content.length, name.length];
    bodies.push(packed("IHHHHHIIIHH", LOCAL, 20, 0, 0, 0, 33, ...same, 0), ascii(name), content);
    list.push(packed("IHHHHHHIIIHHHHHII", 0x02014b50, 20, 20, 0, 0, 0, 33, ...same,
      0, 0, 0, 0, 0, offset), ascii(name));
    offset += 30 + name.length + content.length;
  }
  const listed = join(list);
  const count = entries.length;
  const end = packed("IHHHHIIH", 0x06054b50, 0, 0, count, count, listed.length, offset, 0);
  return join([...bodies, listed, end]);
}

/** The contents of a bundle that is known to be good. */
function unpack(bytes) {
  const found = new Map();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (view.getUint32(at, true) === LOCAL) {
    const start = at + 30 + view.getUint16(at + 26, true);
    const end = start + view.getUint32(at + 22, true);
    found.set(String.fromCharCode(...bytes.subarray(at + 30, start)), bytes.subarray(start, end));
    at = end;
  }
  return found;
}

function wholeOf(headers, body, other) {
  if (headers.base === undefined) return body;
  const base = other(headers.base);
  if (headers.at !== undefined) {
    const at = Number(headers.at);
    return join([base.subarray(0, at), body, base.subarray(at + Number(headers.cut))]);
  }
  const there = unpack(base);
  const entries = JSON.parse(new TextDecoder().decode(body));
  return pack(entries.map(([name, content]) =>
    [name, content === null ? there.get(name) : fromBase64(content)]));
}

const joined = (words) => [...words].join(" ") || "none";

const witnessed = (witness) =>
  (witness === undefined ? "-" : `${witness.count}/${witness.quorum}`);

function inTheFile(one, two) {
  const [first, second] = [one.message, two.message];
  if (first.from !== second.from) return first.from < second.from ? -1 : 1;
  return first.seq - second.seq;
}

function foundIn({ about, documents, forks, messages, proofs, records }) {
  const lines = about.proofs_only
    ? proofs.map(({ decision, witness }) => ({ number: decision.order ?? null, witness }))
    : [...messages].sort(inTheFile);
  return {
    document: documents.at(-1).digest,
    numbers: joined(lines.map(({ number }) => number ?? "-")),
    witnessed: joined([...lines, ...records].map(({ witness }) => witnessed(witness))),
    forked: joined([...forks].sort()),
  };
}

/** False is `not-authentic` whatever the fault, and undecided is `key-unknown`. */
export function bundle(headers, body, other) {
  let facts;
  try {
    facts = verifyBundle(wholeOf(headers, body, other));
  } catch (fault) {
    if (!(fault instanceof Refusal)) throw fault;
    return refuse("not-authentic", fault.message);
  }
  if (facts.open.length > 0) return refuse("key-unknown", facts.open.join("; "));
  return foundIn(facts);
}

export const HEADERS = ["base", "at", "cut", "document", "numbers", "witnessed", "forked"];
