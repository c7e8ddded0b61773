// The container of a bundle, a ZIP with nothing left to choose: SPEC 15.1.

import { ascii, equal, refuse } from "./bytes.mjs";
import {
  closed, decodeJson, isBoolean, isCase, isId, number, oneOf, orNull, shaped,
} from "./json.mjs";

const BYTES_MAX = 2 ** 30;
const ENTRIES_MAX = 10000;
const LOCAL = 30;

export const FOLDERS = [
  "messages", "receipts", "manifests", "records", "documents", "listings", "revocations",
  "closures", "forks", "heads", "timestamps",
];

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ TABLE[(value ^ byte) & 255];
  return (value ^ 0xffffffff) >>> 0;
}

/** Write numbers, each with its width in bytes, little-endian. */
function packed(...fields) {
  const bytes = [];
  for (const [width, ...values] of fields) {
    for (const value of values) {
      for (let at = 0; at < width; at++) bytes.push(Math.floor(value / 2 ** (8 * at)) & 255);
    }
  }
  return Uint8Array.from(bytes);
}

const local = ({ name, content, crc }) => packed(
  [4, 0x04034b50], [2, 20, 0, 0, 0, 33], [4, crc, content.length, content.length],
  [2, name.length, 0],
);

const central = ({ name, content, crc, offset }) => packed(
  [4, 0x02014b50], [2, 20, 20, 0, 0, 0, 33], [4, crc, content.length, content.length],
  [2, name.length, 0, 0, 0, 0], [4, 0, offset],
);

const end = (count, size, offset) =>
  packed([4, 0x06054b50], [2, 0, 0, count, count], [4, size, offset], [2, 0]);

const wrong = () => refuse("malformed", "a container that is not in its one form");

/** Take what is there and check that it is what would be written. */
class Cursor {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  take(length) {
    if (this.at + length > this.bytes.length) wrong();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  expect(bytes) {
    if (!equal(this.take(bytes.length), bytes)) wrong();
  }
}

function readEntry(cursor) {
  const offset = cursor.at;
  const head = cursor.take(LOCAL);
  const view = new DataView(head.buffer, head.byteOffset, LOCAL);
  const name = String.fromCharCode(...cursor.take(view.getUint16(26, true)));
  const content = cursor.take(view.getUint32(22, true));
  const entry = { name, content, crc: crc32(content), offset };
  if (!equal(head, local(entry))) wrong();
  return entry;
}

function readEntries(bytes) {
  if (bytes.length > BYTES_MAX) refuse("too-large", "a bundle");
  const cursor = new Cursor(bytes);
  const entries = [];
  const mark = packed([4, 0x04034b50]);
  while (equal(bytes.subarray(cursor.at, cursor.at + 4), mark)) {
    entries.push(readEntry(cursor));
    if (entries.length > ENTRIES_MAX) refuse("too-large", "entries of a bundle");
  }
  const start = cursor.at;
  for (const entry of entries) {
    cursor.expect(central(entry));
    cursor.expect(ascii(entry.name));
  }
  cursor.expect(end(entries.length, cursor.at - start, start));
  if (cursor.at !== bytes.length) wrong();
  return entries;
}

const countsForm = Object.fromEntries(FOLDERS.map((folder) => [folder, number(0)]));

function readAbout(bytes) {
  return closed(decodeJson(bytes, 4096), {
    v: number(1, 1), kind: oneOf("comity-bundle"), network: isId, authority: isId,
    created: number(0), case: orNull(isCase), proofs_only: isBoolean, counts: shaped(countsForm),
  });
}

/** `comity.json`, the summary, and the parts of each folder in their order. */
export function decodeContainer(bytes) {
  const entries = readEntries(bytes);
  const [first, second, ...rest] = entries;
  if (first?.name !== "comity.json" || second?.name !== "summary.html") wrong();
  const about = readAbout(first.content);
  const told = FOLDERS.reduce((sum, folder) => sum + about.counts[folder], 0);
  if (told !== rest.length) wrong();
  const names = FOLDERS.flatMap((folder) => Array.from({ length: about.counts[folder] },
    (_, at) => `${folder}/${String(at + 1).padStart(4, "0")}.json`));
  if (rest.some(({ name }, at) => name !== names[at])) wrong();
  const absent = about.case === null ? ["messages", "manifests", "receipts"]
    : about.proofs_only ? ["messages", "manifests"] : [];
  if (absent.some((folder) => about.counts[folder] > 0)) {
    refuse("malformed", "parts that a bundle of this kind does not have");
  }
  const parts = Object.fromEntries(FOLDERS.map((folder) => [folder, []]));
  for (const { name, content } of rest) {
    const at = name.indexOf("/");
    parts[name.slice(0, at)].push({ name, raw: content });
  }
  return { about, summary: second.content, parts };
}
