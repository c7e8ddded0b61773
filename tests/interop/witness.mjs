// What goes between a log and its witnesses, and policies: SPEC 6.10 and 8.7.

import { ascii, equal, fromBase64, hex, join, refuse } from "../../node/page/bytes.mjs";
import { digest } from "../../node/page/crypto.mjs";
import { decodeNote } from "../../node/page/log.mjs";

const encoder = new TextEncoder();
const DECIMAL = "0|[1-9][0-9]{0,15}";

// --- 8.7: the two bodies ---------------------------------------------------------------------

function decodeHash(text) {
  const bytes = fromBase64(text);
  if (bytes.length !== 32) refuse("malformed", "not a hash");
  return bytes;
}

export function decodeRequest(bytes) {
  if (bytes.length > 65536) refuse("too-large", "a request");
  const text = Buffer.from(bytes).toString("latin1");
  const at = text.indexOf("\n\n");
  if (at < 0) refuse("malformed", "no empty line");
  const [first, ...lines] = text.slice(0, at).split("\n");
  const old = new RegExp(`^old (${DECIMAL})$`).exec(first);
  if (old === null) refuse("malformed", "no old size");
  if (lines.length > 63) refuse("too-large", "hashes");
  const path = lines.map(decodeHash);
  const { body } = decodeNote(bytes.slice(at + 2));
  const head = new RegExp(`^([^\n]+)\n(${DECIMAL})\n`).exec(body);
  if (head === null) refuse("malformed", "no checkpoint");
  const [oldSize, size] = [Number(old[1]), Number(head[2])];
  if (!Number.isSafeInteger(size) || oldSize > size) refuse("malformed", "the sizes");
  return { origin: head[1], oldSize, size, path };
}

/** The lines of an answer are those of a note with nothing above them. */
export function decodeLines(bytes) {
  const { body, lines } = decodeNote(join(ascii("-\n\n"), bytes));
  if (body !== "-\n") refuse("malformed", "a line that is no signature");
  return lines;
}

// --- 6.10: policies --------------------------------------------------------------------------

const KEY_BYTES = { "01": 32, "04": 32, "06": 1312 };

function decodeKey(text, kinds) {
  const match = /^([^+\s]+)\+([0-9a-f]{8})\+([^+]\S*)$/.exec(text);
  if (match === null) refuse("malformed", "not a verifier key");
  const typed = fromBase64(match[3]);
  const kind = hex(typed.slice(0, 1));
  if (!kinds.includes(kind) || typed.length !== 1 + KEY_BYTES[kind]) refuse("malformed", "its kind");
  const mark = digest(encoder.encode(`${match[1]}\n`), typed).slice(0, 4);
  if (hex(mark) !== match[2]) refuse("malformed", "its hash");
  return typed.slice(1);
}

export function decodePolicy(bytes) {
  if (bytes.length > 262144) refuse("too-large", "a policy");
  const text = Buffer.from(bytes).toString("utf-8");
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x08\x0b-\x1f\x7f]/.test(text) || !text.endsWith("\n")) refuse("malformed", "its text");
  const logs = [];
  const witnesses = [];
  const groups = [];
  const quorums = [];
  const names = new Set();
  const members = new Set();

  const add = (keys, key) => {
    if (keys.some((one) => equal(one, key))) refuse("malformed", "a key twice");
    keys.push(key);
  };
  const define = (name) => {
    if (name === "none" || names.has(name)) refuse("malformed", "a name that is taken");
    names.add(name);
  };
  const enlist = (member) => {
    if (!names.has(member) || members.has(member)) refuse("malformed", "a member");
    members.add(member);
  };
  const takeGroup = ([name, count, ...found]) => {
    if (found.length === 0) refuse("malformed", "no members");
    found.forEach(enlist);
    define(name);
    const words = { any: 1, all: found.length };
    const least = words[count] ?? (/^[1-9][0-9]{0,4}$/.test(count) ? Number(count) : 0);
    if (least < 1 || least > found.length) refuse("malformed", "a threshold");
    groups.push(`${least}/${found.length}`);
  };
  const takers = {
    log: (rest) => add(logs, decodeKey(rest[0], ["01", "06"])),
    witness: ([name, key]) => { add(witnesses, decodeKey(key, ["04", "06"])); define(name); },
    group: takeGroup,
    quorum: ([name]) => {
      if (name !== "none" && !names.has(name)) refuse("malformed", "an unknown quorum");
      quorums.push(name);
    },
  };
  const lengths = { log: [1, 2], witness: [2, 3], group: [2, Infinity], quorum: [1, 1] };

  for (const line of text.split("\n")) {
    const [kind, ...rest] = line.split(/[ \t]+/).filter((word) => word !== "");
    if (kind === undefined || kind.startsWith("#")) continue;
    const [least, most] = Object.hasOwn(lengths, kind) ? lengths[kind] : [Infinity, 0];
    if (rest.length < least || rest.length > most) refuse("malformed", "an unknown line");
    takers[kind](rest);
  }
  if (quorums.length !== 1) refuse("malformed", "one quorum");
  return {
    logs: String(logs.length), witnesses: String(witnesses.length),
    groups: groups.join(" ") || "none", quorum: quorums[0],
  };
}
