// What passes between nodes: envelopes and batches, SPEC 5 and 8.3.

import {
  ascii, equal, fromBigEndian, hex, join, refuse,
} from "../../node/page/bytes.mjs";
import { digest } from "../../node/page/crypto.mjs";
import {
  bytesOf, closed, decodeJson, fits, isDigest, isId, isObject, isText, number, orNull,
} from "../../node/page/json.mjs";
import { decodeInner, verifyMessage } from "../../node/page/message.mjs";
import { hpkeOpen } from "./seal.mjs";

// --- 5. Envelopes --------------------------------------------------------------------------

const SUITES = ["hpke-647a-0001-0002"];
const SHORTEST = 1120 + 256 + 16;

const lengthAt = (bytes, at) => Number(fromBigEndian(bytes.slice(at, at + 4)));

export function paddedLength(length) {
  if (length < 256) return 256;
  const exponent = 31 - Math.clz32(length);
  const step = 2 ** (exponent - (32 - Math.clz32(exponent)));
  return Math.ceil(length / step) * step;
}

function takePart(text, at) {
  const start = at + 4;
  if (start > text.length) refuse("malformed", "a length runs over the end");
  const end = start + lengthAt(text, at);
  if (end > text.length) refuse("malformed", "a length runs over the end");
  return [text.slice(start, end), end];
}

function decodeFileKeys(bytes) {
  const keys = decodeJson(bytes, 16384);
  if (!isObject(keys) || Object.keys(keys).length > 64) refuse("malformed", "the file keys");
  for (const [name, key] of Object.entries(keys)) {
    if (!isDigest(name) || !bytesOf(32)(key)) refuse("malformed", "a file key");
  }
  return keys;
}

function readEnvelope(raw) {
  // (1) Magic and sizes.
  if (raw.length > 4197500) refuse("too-large", "the envelope");
  if (raw.length < 12 || !equal(raw.slice(0, 8), ascii("COMITY-1"))) refuse("malformed", "magic");
  const size = lengthAt(raw, 8);
  if (size > 2048) refuse("too-large", "the header");
  if (raw.length < 12 + size + SHORTEST) refuse("malformed", "too short");
  // (2) The header.
  const header = closed(decodeJson(raw.slice(12, 12 + size), 2048), {
    v: number(1, 1), suite: (suite) => isText(suite) && suite.length <= 64,
    network: isId, epoch: number(1), from: isId, to: isId, kid: isDigest,
    created: number(0), expires: number(0),
  });
  return { header, prefix: raw.slice(0, 12 + size), sealed: raw.slice(12 + size) };
}

/** SPEC 5.3, without the steps that need stored state. */
export function openEnvelope(raw, { network, recipient, broughtBy, key, kid, suiteMin, pair, now }) {
  const { header, prefix, sealed } = readEnvelope(raw);
  // (3) For us. (4) From who brought it.
  if (header.network !== network || header.to !== recipient) refuse("not-for-us", "not for us");
  if (broughtBy !== undefined && header.from !== broughtBy) refuse("wrong-sender", "from");
  // (6) Our key. (7) The suite.
  if (header.kid !== kid) refuse("key-unknown", "kid");
  const suite = SUITES.indexOf(header.suite);
  if (suite < 0 || suite < SUITES.indexOf(suiteMin)) refuse("suite-unknown", "suite");
  // (8) Decrypt.
  const bound = join(ascii("comity/v1/seal\0"), digest(prefix));
  const text = hpkeOpen(key, bound, sealed.slice(0, 1120), sealed.slice(1120));
  // (9) Exact padding.
  const [inner, middle] = takePart(text, 0);
  const [keys, end] = takePart(text, middle);
  const rest = text.slice(end);
  if (text.length !== paddedLength(end) || rest.some((byte) => byte !== 0)) {
    refuse("malformed", "the padding");
  }
  // (10) Statement and file keys.
  const statement = decodeInner(inner);
  const fileKeys = decodeFileKeys(keys);
  // (13) Both signatures. (14) The text. (15) Inner and outer.
  const message = verifyMessage(statement, pair);
  for (const name of ["network", "epoch", "from", "to", "created", "expires"]) {
    if (message[name] !== header[name]) refuse("mismatch", name);
  }
  // (16) Time.
  if (message.created > now + 300) refuse("not-yet", "created");
  if (message.expires < now) refuse("expired", "expires");
  return {
    identity: statement.identity,
    digest: hex(digest(raw)),
    "text-sha256": hex(digest(statement.text)),
    "file-keys": String(Object.keys(fileKeys).length),
  };
}

// --- 8.3 Batches ---------------------------------------------------------------------------

const ANSWERS = {
  receipt: { envelope: isDigest, receipt: bytesOf(0, 65536) },
  refusal: { envelope: isDigest, refusal: fits(/^[a-z-]{1,32}$/), proof: orNull(bytesOf(0, 65536)) },
  pending: { envelope: isDigest, pending: (value) => value === true },
};

export function decodeBatch(body) {
  if (body.length > 8 * 2 ** 20) refuse("too-large", "a batch");
  const parts = [];
  for (let at = 0; at < body.length;) {
    if (parts.length > 64) refuse("too-large", "envelopes");
    const end = at + 4 > body.length ? Infinity : at + 4 + lengthAt(body, at);
    if (end > body.length || end === at + 4) refuse("malformed", "a part");
    parts.push(body.slice(at + 4, end));
    at = end;
  }
  if (parts.length === 0) refuse("malformed", "no answers");
  const { answers } = closed(decodeJson(parts[0], 8 * 2 ** 20), {
    v: number(1, 1), answers: Array.isArray, seen: orNull(bytesOf(0, 65536)),
    log: orNull(bytesOf(0, 2 ** 20)),
  });
  if (answers.length > 512) refuse("too-large", "answers");
  for (const answer of answers) {
    const kind = Object.keys(ANSWERS).find((name) => answer !== null && Object.hasOwn(answer, name));
    closed(answer, ANSWERS[kind ?? "pending"]);
  }
  return { answers: String(answers.length), envelopes: String(parts.length - 1) };
}
