// The log: records, the tree, notes, checkpoints, witnesses and proofs. SPEC 6.

import {
  ascii, bigEndian, encoded, equal, fromBase64, fromBigEndian, hex, join, refuse, unhex, utf8,
} from "./bytes.mjs";
import { digest, verifySignature } from "./crypto.mjs";
import { ID } from "./json.mjs";

const ZERO = unhex("00");
const ONE = unhex("01");
export const EMPTY_ROOT = digest(new Uint8Array());

// --- 6.1, 6.2: records and the tree ----------------------------------------------------------

export const entryOf = (record, salt) =>
  join(ONE, digest(ascii("comity/v1/record\0"), salt, record));
export const leafOf = (entry) => digest(ZERO, entry);
const nodeOf = (left, right) => digest(ONE, left, right);

/** RFC 9162 section 2.1.3.2, which is RFC 6962's audit path with its exact length. */
export function verifyInclusion({ leaf, index, size, path, root }) {
  if (index >= size) refuse("not-authentic", "an index outside the tree");
  if (path.some((hash) => hash.length !== 32)) refuse("not-authentic", "not a hash");
  let [place, last, found] = [BigInt(index), BigInt(size) - 1n, leaf];
  for (const sibling of path) {
    if (last === 0n) refuse("not-authentic", "a path too long");
    if (place & 1n || place === last) {
      found = nodeOf(sibling, found);
      while (!(place & 1n) && place !== 0n) [place, last] = [place >> 1n, last >> 1n];
    } else {
      found = nodeOf(found, sibling);
    }
    [place, last] = [place >> 1n, last >> 1n];
  }
  if (last !== 0n || !equal(found, root)) refuse("not-authentic", "the path");
}

/** RFC 9162 section 2.1.4.2. */
export function verifyConsistency({ oldSize, oldRoot, newSize, newRoot, path }) {
  const fail = (why) => refuse("not-authentic", why);
  if (oldSize > newSize || path.some((hash) => hash.length !== 32)) fail("sizes, or not a hash");
  if (oldSize === 0 && !equal(oldRoot, EMPTY_ROOT)) fail("no empty root");
  if (oldSize === newSize && !equal(oldRoot, newRoot)) fail("two roots");
  if (oldSize === 0 || oldSize === newSize) return path.length === 0 || fail("a path for nothing");
  let [place, last] = [BigInt(oldSize) - 1n, BigInt(newSize) - 1n];
  const whole = (BigInt(oldSize) & place) === 0n;
  const [first, ...rest] = whole ? [oldRoot, ...path] : path;
  if (first === undefined) fail("no path");
  while (place & 1n) [place, last] = [place >> 1n, last >> 1n];
  let [before, after] = [first, first];
  for (const sibling of rest) {
    if (last === 0n) fail("a path too long");
    if (place & 1n || place === last) {
      [before, after] = [nodeOf(sibling, before), nodeOf(sibling, after)];
      while (!(place & 1n) && place !== 0n) [place, last] = [place >> 1n, last >> 1n];
    } else {
      after = nodeOf(after, sibling);
    }
    [place, last] = [place >> 1n, last >> 1n];
  }
  if (last !== 0n || !equal(before, oldRoot) || !equal(after, newRoot)) fail("the path");
  return true;
}

// --- 6.3 to 6.5: notes, checkpoints, cosignatures --------------------------------------------

export function decodeNote(bytes) {
  if (bytes.length > 65536) refuse("too-large", "a note");
  const text = utf8(bytes);
  const at = text.lastIndexOf("\n\n");
  if (at < 0 || !text.endsWith("\n")) refuse("malformed", "a note without signatures");
  const body = text.slice(0, at + 1);
  const lines = text.slice(at + 2, -1).split("\n");
  if (lines.length > 64) refuse("too-large", "lines of a note");
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x09\x0b-\x1f]/.test(body)) refuse("malformed", "a control character");
  return { body, lines: lines.map(decodeLine) };
}

function decodeLine(line) {
  // eslint-disable-next-line no-control-regex
  const match = /^\u2014 ([^\s+\x00-\x1f]+) (\S+)$/.exec(line);
  if (match === null) refuse("malformed", "not a signature line");
  const bytes = fromBase64(match[2]);
  if (bytes.length <= 4) refuse("malformed", "a line without a signature");
  return { name: match[1], mark: hex(bytes.slice(0, 4)), raw: bytes.slice(4) };
}

const markOf = (name, kind, raw) =>
  hex(digest(encoded(name), unhex("0a"), unhex(kind), raw).slice(0, 4));

const ORIGIN = new RegExp(`^(${ID})/(${ID})/(0|[1-9][0-9]{0,8})$`);
export const isOrigin = (text) => typeof text === "string" && ORIGIN.test(text);

/** Network, authority and number of the log that an origin names. */
export function partsOf(origin) {
  const [, network, authority, number] = ORIGIN.exec(origin) ?? refuse("malformed", "an origin");
  return { network, authority, number: Number(number) };
}

export function decodeCheckpoint(body) {
  const match = /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([^\n]+)\n$/.exec(body);
  if (match === null || !ORIGIN.test(match[1])) refuse("malformed", "not three lines");
  const [origin, size, root] = [match[1], Number(match[2]), fromBase64(match[3])];
  if (!Number.isSafeInteger(size) || root.length !== 32) refuse("malformed", "size or root");
  if (size === 0 && !equal(root, EMPTY_ROOT)) refuse("malformed", "an empty log has one root");
  return { origin, size, root, body };
}

/** What a note says of itself; nobody's word until its signatures are verified. */
export const readCheckpoint = (bytes) => decodeCheckpoint(decodeNote(bytes).body);

function timedText(checkpoint, kind, name, time) {
  if (kind === "04") return encoded(`cosignature/v1\ntime ${time}\n${checkpoint.body}`);
  const [by, origin] = [encoded(name), encoded(checkpoint.origin)];
  return join(
    ascii("subtree/v1\n\0"), Uint8Array.of(by.length), by, bigEndian(time, 8),
    Uint8Array.of(origin.length), origin, bigEndian(0, 8), bigEndian(checkpoint.size, 8),
    checkpoint.root,
  );
}

function verifyTimed(checkpoint, kind, key, line) {
  const time = line.raw.length < 8 ? 0n : fromBigEndian(line.raw.slice(0, 8));
  if (time === 0n || time > BigInt(Number.MAX_SAFE_INTEGER)) refuse("not-authentic", "no time");
  const text = timedText(checkpoint, kind, line.name, time);
  verifySignature(key.algorithm, key.raw, line.raw.slice(8), text);
  return Number(time);
}

export function verifyCheckpoint(bytes, origin, [first, second]) {
  const note = decodeNote(bytes);
  const checkpoint = decodeCheckpoint(note.body);
  if (checkpoint.origin !== origin) refuse("not-authentic", "another log");
  const marks = [markOf(origin, "01", first.raw), markOf(origin, "06", second.raw)];
  const own = note.lines.flatMap(({ name, mark }, at) =>
    name === origin && marks.includes(mark) ? [`${at} ${mark}`] : []);
  if (own.join() !== marks.map((mark, at) => `${at} ${mark}`).join()) {
    refuse("not-authentic", "not the log's two lines, first and once");
  }
  const [plain, timed] = note.lines;
  verifySignature(first.algorithm, first.raw, plain.raw, encoded(note.body));
  const time = verifyTimed(checkpoint, "06", second, timed);
  return { ...checkpoint, time, lines: note.lines };
}

export function verifyCosignature(checkpoint, name, [first, second]) {
  const marks = [markOf(name, "04", first.raw), markOf(name, "06", second.raw)];
  const own = checkpoint.lines.filter((one) => one.name === name && marks.includes(one.mark));
  if (own.map(({ mark }) => mark).join() !== marks.join()) {
    refuse("not-authentic", "not the witness's two lines");
  }
  const time = verifyTimed(checkpoint, "04", first, own[0]);
  if (verifyTimed(checkpoint, "06", second, own[1]) !== time) refuse("not-authentic", "two times");
  return time;
}

// --- 6.6: proofs -------------------------------------------------------------------------------

export function decodeProof(bytes) {
  if (bytes.length > 40960) refuse("too-large", "a proof");
  const at = bytes.findIndex((byte, place) => byte === 10 && bytes[place + 1] === 10);
  if (at < 0 || at + 2 >= bytes.length) refuse("malformed", "a proof without a checkpoint");
  const [first, index, ...hashes] = utf8(bytes.slice(0, at)).split("\n");
  const match = /^index (0|[1-9][0-9]{0,15})$/.exec(index ?? "");
  if (first !== "c2sp.org/tlog-proof@v1" || match === null) refuse("malformed", "its first lines");
  if (!Number.isSafeInteger(Number(match[1]))) refuse("malformed", "its index");
  if (hashes.length > 53) refuse("too-large", "its path");
  const path = hashes.map(fromBase64);
  if (path.some((hash) => hash.length !== 32)) refuse("malformed", "not a hash");
  return { index: Number(match[1]), path, checkpoint: bytes.slice(at + 2) };
}

/** SPEC 6.6: that this entry is in this log, and what its checkpoint says. */
export function verifyProof(bytes, { record, salt, origin, keys }) {
  const proof = decodeProof(bytes);
  const signed = verifyCheckpoint(proof.checkpoint, origin, keys);
  verifyInclusion({ leaf: leafOf(entryOf(record, salt)), ...proof, ...signed });
  return { index: proof.index, signed };
}
