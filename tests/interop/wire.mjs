// The forms of SPEC 1 to 5: JSON, names, statements, messages, envelopes.

import {
  ALGORITHMS, ascii, digest, equal, hex, hpkeOpen, join, refuse, verifySignature,
} from "./crypto.mjs";

// --- 1. Encoding ---------------------------------------------------------------------------

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
export const encoded = (text) => Uint8Array.from(Buffer.from(text, "utf-8"));

function textOf(bytes) {
  try {
    return utf8.decode(bytes);
  } catch {
    return refuse("malformed", "not UTF-8");
  }
}

/** Write a value as canonical JSON; a deep or foreign one is refused. */
function canonical(value, depth = 0) {
  if (depth > 32) refuse("too-large", "nested too deep");
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value) || value < 0) refuse("malformed", "not an integer of ours");
    return String(value);
  }
  if (typeof value === "string") {
    if (/\p{Surrogate}/u.test(value)) refuse("malformed", "a lone surrogate");
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map((member) => canonical(member, depth + 1)).join(",")}]`;
  }
  const keys = Object.keys(value).sort();
  // eslint-disable-next-line no-control-regex
  if (keys.some((key) => !/^[\x00-\x7f]*$/.test(key))) refuse("malformed", "a key not in ASCII");
  return `{${keys.map((key) =>
    `${JSON.stringify(key)}:${canonical(value[key], depth + 1)}`).join(",")}}`;
}

export function decodeJson(bytes, most) {
  if (bytes.length > most) refuse("too-large", "more bytes than the form allows");
  const text = textOf(bytes);
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    refuse("malformed", "not JSON");
  }
  if (canonical(value) !== text) refuse("malformed", "not canonical");
  return value;
}

export const toBase64 = (bytes) => Buffer.from(bytes).toString("base64");

export function fromBase64(text) {
  const bytes = Uint8Array.from(Buffer.from(text, "base64"));
  if (toBase64(bytes) !== text) refuse("malformed", "base64 that is not in its one form");
  return bytes;
}

const isText = (value) => typeof value === "string";
const fits = (pattern) => (value) => isText(value) && pattern.test(value);
const number = (low, high = Number.MAX_SAFE_INTEGER) => (value) =>
  Number.isSafeInteger(value) && low <= value && value <= high;
const orNull = (rule) => (value) => value === null || rule(value);
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const bytesOf = (least, most = least) => (value) => {
  if (!isText(value)) return false;
  const { length } = fromBase64(value);
  return least <= length && length <= most;
};
export const rules = { fits, number, orNull, isObject, bytesOf, isText };

const ID = "[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?";
export const isId = fits(new RegExp(`^${ID}$`));
export const isDigest = fits(/^[0-9a-f]{64}$/);

/** Check a closed object, field by field. */
export function closed(value, form) {
  if (!isObject(value)) refuse("malformed", "not an object");
  for (const [name, rule] of Object.entries(form)) {
    if (!Object.hasOwn(value, name) || !rule(value[name])) refuse("malformed", `the field ${name}`);
  }
  if (Object.keys(value).length !== Object.keys(form).length) refuse("malformed", "unknown field");
  return value;
}

/** A list rule that tells too many from wrong. */
const listOf = (most, check) => (value) => {
  if (!Array.isArray(value)) return false;
  if (value.length > most) refuse("too-large", `more than ${most}`);
  return value.every(check);
};

// --- 2. Keys, 3. Statements ----------------------------------------------------------------

export const PURPOSES = {
  sign: ["ed25519", "ml-dsa-65"], seal: ["x-wing"], hop: ["ed25519"],
  log: ["ed25519", "ml-dsa-44"], witness: ["ed25519", "ml-dsa-44"],
  steward: ["ed25519", "ml-dsa-65"],
};

export function keyId(purpose, algorithm, raw) {
  if (!PURPOSES[purpose].includes(algorithm)) refuse("malformed", "no such key");
  if (raw.length !== ALGORITHMS[algorithm].key) refuse("malformed", "a key's length");
  return hex(digest(ascii(`comity/v1/key\0${purpose}\0${algorithm}\0`), raw));
}

export function pae(kind, text) {
  const type = encoded(kind);
  return join(ascii(`DSSEv1 ${type.length} `), type, ascii(` ${text.length} `), text);
}

export const identityOf = (kind, text) => hex(digest(pae(kind, text)));

export function decodeStatement(bytes, kind, most) {
  const signature = (one) =>
    closed(one, { keyid: isDigest, sig: bytesOf(0, 4096) }) === one;
  const statement = closed(decodeJson(bytes, most), {
    payload: bytesOf(0, most),
    payloadType: fits(/^application\/vnd\.comity\.[a-z]+\.v1\+json$/),
    signatures: listOf(256, signature),
  });
  if (statement.payloadType !== kind) refuse("malformed", "another type");
  const text = fromBase64(statement.payload);
  const signatures = statement.signatures.map(({ keyid, sig }) => [keyid, fromBase64(sig)]);
  return { kind, text, signatures };
}

/** SPEC 3.4: exactly these keys, in this order. */
export function verifyExactly(statement, keys) {
  const wanted = keys.map((key) => key.id).join();
  if (statement.signatures.map(([id]) => id).join() !== wanted) {
    refuse("not-authentic", "not the signatures of the expected keys");
  }
  const signed = pae(statement.kind, statement.text);
  keys.forEach((key, at) =>
    verifySignature(key.algorithm, key.raw, statement.signatures[at][1], signed));
  return statement.text;
}

// --- 4. Messages ---------------------------------------------------------------------------

export const MESSAGE = "application/vnd.comity.message.v1+json";
const DAY = 86400;

const isAttachment = (one) => closed(one, {
  name: (name) => isText(name) && [...name].length <= 1024,
  type: fits(/^[a-z0-9][a-z0-9.+-]{0,63}\/[a-z0-9][a-z0-9.+-]{0,126}$/),
  pt_len: number(0), pt_sha256: isDigest, ct_len: number(0), ct_sha256: isDigest,
}) === one;

export function decodeMessage(text) {
  const message = closed(decodeJson(text, 3129344), {
    v: number(1, 1), network: isId, epoch: number(1), from: isId, to: isId,
    case: fits(new RegExp(`^${ID}/[0-9a-f]{32}$`)),
    seq: number(1), prev: orNull(isDigest), seen: orNull(isDigest), order: orNull(number(1)),
    skips: listOf(256, isDigest), salt: bytesOf(32), created: number(0), expires: number(0),
    kind: fits(/^[a-z][a-z0-9_]{0,63}$/), body: isObject, attachments: listOf(64, isAttachment),
  });
  const opener = message.case.split("/")[0];
  const wrong =
    new Set(message.skips).size !== message.skips.length ||
    message.from === message.to ||
    (opener !== message.from && opener !== message.to) ||
    (message.seq === 1) !== (message.prev === null) ||
    (opener !== message.from) !== (message.order !== null) ||
    message.expires <= message.created ||
    message.expires > message.created + 90 * DAY;
  if (wrong) refuse("malformed", "fields that contradict each other");
  return message;
}

// --- 5. Envelopes --------------------------------------------------------------------------

const SUITES = ["hpke-647a-0001-0002"];
const SHORTEST = 1120 + 256 + 16;

export function paddedLength(length) {
  if (length < 256) return 256;
  const exponent = 31 - Math.clz32(length);
  const step = 2 ** (exponent - (32 - Math.clz32(exponent)));
  return Math.ceil(length / step) * step;
}

function takePart(text, at) {
  const start = at + 4;
  if (start > text.length) refuse("malformed", "a length runs over the end");
  const end = start + Buffer.from(text).readUInt32BE(at);
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
  const size = Buffer.from(raw).readUInt32BE(8);
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
  const statement = decodeStatement(inner, MESSAGE, 4 * 2 ** 20);
  const fileKeys = decodeFileKeys(keys);
  // (13) Both signatures. (14) The text. (15) Inner and outer.
  const message = decodeMessage(verifyExactly(statement, pair));
  for (const name of ["network", "epoch", "from", "to", "created", "expires"]) {
    if (message[name] !== header[name]) refuse("mismatch", name);
  }
  // (16) Time.
  if (message.created > now + 300) refuse("not-yet", "created");
  if (message.expires < now) refuse("expired", "expires");
  return {
    identity: identityOf(MESSAGE, statement.text),
    digest: hex(digest(raw)),
    "text-sha256": hex(digest(statement.text)),
    "file-keys": String(Object.keys(fileKeys).length),
  };
}

