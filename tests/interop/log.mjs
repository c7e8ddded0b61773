// The log and its receipts: SPEC 6 and 7.

import {
  ascii, bigEndian, digest, equal, hex, join, refuse, unhex, verifySignature,
} from "./crypto.mjs";
import { closed, decodeJson, encoded, fromBase64, isDigest, isId, rules } from "./wire.mjs";

const { number, orNull, bytesOf, isText } = rules;
const ZERO = unhex("00");
const ONE = unhex("01");
const EMPTY_ROOT = digest();

// --- 6.1, 6.2: records and the tree ----------------------------------------------------------

export const entryOf = (record, salt) =>
  join(ONE, digest(ascii("comity/v1/record\0"), salt, record));
const leafOf = (entry) => digest(ZERO, entry);
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
  const whole = (oldSize & (oldSize - 1)) === 0;
  const [first, ...rest] = whole ? [oldRoot, ...path] : path;
  if (first === undefined) fail("no path");
  let [place, last] = [oldSize - 1, newSize - 1];
  while (place & 1) [place, last] = [place >> 1, last >> 1];
  let [before, after] = [first, first];
  for (const sibling of rest) {
    if (last === 0) fail("a path too long");
    if (place & 1 || place === last) {
      [before, after] = [nodeOf(sibling, before), nodeOf(sibling, after)];
      while (!(place & 1) && place !== 0) [place, last] = [place >> 1, last >> 1];
    } else {
      after = nodeOf(after, sibling);
    }
    [place, last] = [place >> 1, last >> 1];
  }
  if (last !== 0 || !equal(before, oldRoot) || !equal(after, newRoot)) fail("the path");
  return true;
}

// --- 6.3 to 6.5: notes, checkpoints, cosignatures --------------------------------------------

const textOf = (bytes) => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse("malformed", "not UTF-8");
  }
};

function decodeNote(bytes) {
  if (bytes.length > 65536) refuse("too-large", "a note");
  const text = textOf(bytes);
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

const ID = "[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?";
const ORIGIN = new RegExp(`^${ID}/${ID}/(?:0|[1-9][0-9]{0,8})$`);

function decodeCheckpoint(body) {
  const match = /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([^\n]+)\n$/.exec(body);
  if (match === null || !ORIGIN.test(match[1])) refuse("malformed", "not three lines");
  const [origin, size, root] = [match[1], Number(match[2]), fromBase64(match[3])];
  if (!Number.isSafeInteger(size) || root.length !== 32) refuse("malformed", "size or root");
  if (size === 0 && !equal(root, EMPTY_ROOT)) refuse("malformed", "an empty log has one root");
  return { origin, size, root, body };
}

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
  const time = line.raw.length < 8 ? 0n : Buffer.from(line.raw).readBigUInt64BE(0);
  if (time === 0n || time > BigInt(Number.MAX_SAFE_INTEGER)) refuse("not-authentic", "no time");
  const text = timedText(checkpoint, kind, line.name, time);
  verifySignature(key.algorithm, key.raw, line.raw.slice(8), text);
  return time;
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

function decodeProof(bytes) {
  if (bytes.length > 40960) refuse("too-large", "a proof");
  const at = Buffer.from(bytes).indexOf("\n\n");
  if (at < 0 || at + 2 >= bytes.length) refuse("malformed", "a proof without a checkpoint");
  const [first, index, ...hashes] = textOf(bytes.slice(0, at)).split("\n");
  const match = /^index (0|[1-9][0-9]{0,15})$/.exec(index ?? "");
  if (first !== "c2sp.org/tlog-proof@v1" || match === null) refuse("malformed", "its first lines");
  if (!Number.isSafeInteger(Number(match[1]))) refuse("malformed", "its index");
  if (hashes.length > 53) refuse("too-large", "its path");
  const path = hashes.map(fromBase64);
  if (path.some((hash) => hash.length !== 32)) refuse("malformed", "not a hash");
  return { index: Number(match[1]), path, checkpoint: bytes.slice(at + 2) };
}

// --- 7: receipts -------------------------------------------------------------------------------

const FINAL = ["expired", "equivocation", "skipped"];

export function decodeDecision(bytes) {
  const common = {
    v: number(1, 1), network: isId, at: number(0), identity: isDigest, envelope: isDigest,
    from: isId, to: isId,
  };
  const record = decodeJson(bytes, 4096);
  switch (record?.kind) {
    case "message.accepted":
      return closed(record, { ...common, kind: isText, order: orNull(number(1)) });
    case "message.refused":
      return closed(record, { ...common, kind: isText, code: (code) => FINAL.includes(code) });
    default:
      return refuse("malformed", "not a decision");
  }
}

export function verifyReceipt(bytes, { network, issuer, origin, keys, sent }) {
  // (1) The forms.
  const receipt = closed(decodeJson(bytes, 65536), {
    v: number(1, 1), record: bytesOf(0, 4096), salt: bytesOf(32), proof: bytesOf(0, 65536),
  });
  const record = fromBase64(receipt.record);
  const decision = decodeDecision(record);
  // (2) The issuer's to say.
  if (decision.network !== network || decision.to !== issuer) refuse("not-authentic", "not its own");
  // (3) The leaf. (4) The proof.
  const leaf = leafOf(entryOf(record, fromBase64(receipt.salt)));
  const proof = decodeProof(fromBase64(receipt.proof));
  const signed = verifyCheckpoint(proof.checkpoint, origin, keys);
  verifyInclusion({ leaf, ...proof, size: signed.size, root: signed.root });
  // (5) About what was sent.
  const about = [decision.from, decision.identity, decision.envelope];
  if (about.join() !== sent.join()) refuse("mismatch", "about another message");
  return {
    kind: decision.kind, index: String(proof.index), size: String(signed.size),
    order: String(decision.order ?? "None"), code: decision.code ?? "None",
  };
}

