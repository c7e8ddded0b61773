// A second reader of Comity's test vectors, written from protocol/SPEC.md alone.
//
//     node reader.mjs <folder of vectors>
//
// Prints one JSON line for each vector of the types it knows: {name, outcome, found}. It fails
// on a header that it does not know, and passes over folders of types that it does not read.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join as path } from "node:path";

import { ALGORITHMS, Refusal, ascii, digest, hex, sealPrivate, unhex, verifySignature } from "./crypto.mjs";
import * as log from "./log.mjs";
import * as wire from "./wire.mjs";

// --- the form of a vector ------------------------------------------------------------------

function parse(text) {
  const at = text.indexOf("\n\n");
  const headers = {};
  for (const line of text.slice(0, at).split("\n")) {
    const match = /^([a-z0-9-]+): (\S(?:.*\S)?)$/.exec(line);
    if (match === null || match[1] in headers) throw new Error(`not a header: ${line}`);
    headers[match[1]] = match[2];
  }
  return { headers, body: Uint8Array.from(Buffer.from(text.slice(at + 2), "base64")) };
}

function keyOf(headers, name) {
  const [purpose] = name.split("-", 1);
  const algorithm = name.slice(purpose.length + 1);
  const [form, value] = headers[name].split(" ");
  const raw = form === "seed" ? ALGORITHMS[algorithm].publicOf(unhex(value)) : wire.fromBase64(value);
  return { algorithm, raw, id: wire.keyId(purpose, algorithm, raw) };
}

const pairOf = (headers, ...names) => names.map((name) => keyOf(headers, name));
const SIGN = ["sign-ed25519", "sign-ml-dsa-65"];
const LOG = ["log-ed25519", "log-ml-dsa-44"];
const WITNESS = ["witness-ed25519", "witness-ml-dsa-44"];

function hashes(body) {
  const found = [];
  for (let at = 0; at < body.length; at += 32) found.push(body.slice(at, at + 32));
  return found;
}

// --- one function for each type --------------------------------------------------------------

function digits(bytes) {
  const number = BigInt(`0x${hex(bytes)}`) % 10n ** 60n;
  return { value: hex(bytes), digits: String(number).padStart(60, "0").match(/.{5}/g).join(" ") };
}

const words = (body) => Buffer.from(body).toString().split("\n").map((line) => line.split(" "));

function batch(body) {
  if (body.length > 8 * 2 ** 20) throw new Refusal("too-large", "a batch");
  const parts = [];
  for (let at = 0; at < body.length;) {
    if (parts.length > 64) throw new Refusal("too-large", "envelopes");
    const end = at + 4 > body.length ? Infinity : at + 4 + Buffer.from(body).readUInt32BE(at);
    if (end > body.length || end === at + 4) throw new Refusal("malformed", "a part");
    parts.push(body.slice(at + 4, end));
    at = end;
  }
  if (parts.length === 0) throw new Refusal("malformed", "no answers");
  const { number, bytesOf, orNull, fits } = wire.rules;
  const forms = {
    receipt: { envelope: wire.isDigest, receipt: bytesOf(0, 65536) },
    refusal: { envelope: wire.isDigest, refusal: fits(/^[a-z-]{1,32}$/), proof: orNull(bytesOf(0, 65536)) },
    pending: { envelope: wire.isDigest, pending: (value) => value === true },
  };
  const { answers } = wire.closed(wire.decodeJson(parts[0], 8 * 2 ** 20),
    { v: number(1, 1), answers: Array.isArray });
  if (answers.length > 64) throw new Refusal("too-large", "answers");
  for (const answer of answers) {
    const kind = Object.keys(forms).find((name) => answer !== null && Object.hasOwn(answer, name));
    wire.closed(answer, forms[kind ?? "pending"]);
  }
  return { answers: String(answers.length), envelopes: String(parts.length - 1) };
}

function receipt(headers, body) {
  return log.verifyReceipt(body, {
    network: headers.network, issuer: headers.issuer, origin: headers.origin,
    keys: pairOf(headers, ...LOG), sent: [headers.sender, headers.message, headers.envelope],
  });
}

function envelope(headers, body) {
  const key = sealPrivate(unhex(headers["seal-x-wing"].split(" ")[1]));
  return wire.openEnvelope(body, {
    network: headers.network, recipient: headers.recipient, broughtBy: headers["brought-by"],
    key, kid: wire.keyId("seal", "x-wing", key.public_),
    suiteMin: headers["suite-min"] ?? "hpke-647a-0001-0002",
    pair: pairOf(headers, ...SIGN), now: Number(headers.now),
  });
}

function checkpoint(headers, body) {
  const signed = log.verifyCheckpoint(body, headers.origin, pairOf(headers, ...LOG));
  return {
    size: String(signed.size), root: hex(signed.root), time: String(signed.time),
    lines: String(signed.lines.length),
  };
}

const RECEIPT = ["network", "issuer", "origin", ...LOG, "sender", "message", "envelope",
  "kind", "index", "size", "order", "code"];
const ENVELOPE = ["network", "recipient", "now", "seal-x-wing", ...SIGN, "brought-by",
  "suite-min", "identity", "digest", "text-sha256", "file-keys"];

/** Type: its headers, and what is done with them. */
const READERS = {
  json: [["bytes-max"], (headers, body) => {
    wire.decodeJson(body, Number(headers["bytes-max"] ?? 4 * 2 ** 20));
  }],
  base64: [["value"], (_, body) =>
    ({ value: hex(wire.fromBase64(Buffer.from(body).toString("latin1"))) })],
  "key-id": [["purpose", "algorithm", "value"], ({ purpose, algorithm }, body) =>
    ({ value: wire.keyId(purpose, algorithm, body) })],
  signature: [["algorithm", "key", "signature"], ({ algorithm, key, signature }, body) =>
    verifySignature(algorithm, wire.fromBase64(key), wire.fromBase64(signature), body)],
  identity: [["kind", "value"], ({ kind }, body) => ({ value: wire.identityOf(kind, body) })],
  statement: [["kind", "identity"], ({ kind }, body) =>
    ({ identity: wire.identityOf(kind, wire.decodeStatement(body, kind, 4 * 2 ** 20).text) })],
  "message-text": [["identity"], (_, body) => {
    wire.decodeMessage(body);
    return { identity: wire.identityOf(wire.MESSAGE, body) };
  }],
  padding: [["length", "value"], ({ length }) => ({ value: String(wire.paddedLength(Number(length))) })],
  envelope: [ENVELOPE, envelope],
  entry: [["salt", "value"], ({ salt }, body) => ({ value: hex(log.entryOf(body, unhex(salt))) })],
  record: [["kind"], (_, body) => ({ kind: log.decodeDecision(body).kind })],
  inclusion: [["leaf", "index", "size", "root"], ({ leaf, index, size, root }, body) =>
    log.verifyInclusion({ leaf: unhex(leaf), index: Number(index), size: Number(size),
      root: unhex(root), path: hashes(body) })],
  consistency: [["old-size", "old-root", "new-size", "new-root"], (headers, body) => {
    log.verifyConsistency({
      oldSize: Number(headers["old-size"]), oldRoot: unhex(headers["old-root"]),
      newSize: Number(headers["new-size"]), newRoot: unhex(headers["new-root"]), path: hashes(body),
    });
  }],
  checkpoint: [["origin", ...LOG, "size", "root", "time", "lines"], checkpoint],
  cosignature: [["origin", ...LOG, "witness", ...WITNESS, "time"], (headers, body) => {
    const signed = log.verifyCheckpoint(body, headers.origin, pairOf(headers, ...LOG));
    const time = log.verifyCosignature(signed, headers.witness, pairOf(headers, ...WITNESS));
    return { time: String(time) };
  }],
  receipt: [RECEIPT, receipt],
  fingerprint: [["value", "digits"], (_, body) =>
    digits(digest(ascii("comity/v1/fingerprint\0"), ascii(JSON.stringify(words(body).flat().sort()))))],
  "safety-number": [["value", "digits"], (_, body) => {
    const sides = words(body).map(([id, ...keys]) => [id, keys.sort()]);
    sides.sort(([one], [other]) => (one < other ? -1 : 1));
    return digits(digest(ascii("comity/v1/safety-number\0"), ascii(JSON.stringify(sides))));
  }],
  batch: [["answers", "envelopes"], (_, body) => batch(body)],
};

function run(name, text) {
  const { headers, body } = parse(text);
  const [known, read] = READERS[headers.type];
  for (const header of Object.keys(headers)) {
    if (!["type", "expect", "comment", ...known].includes(header)) {
      throw new Error(`${name}: unknown header ${header}`);
    }
  }
  try {
    return { name, outcome: "ok", found: read(headers, body) ?? {} };
  } catch (fault) {
    if (!(fault instanceof Refusal)) throw fault;
    return { name, outcome: fault.code, found: {} };
  }
}

const folder = process.argv[2];
for (const type of readdirSync(folder).sort()) {
  if (!(type in READERS) || !statSync(path(folder, type)).isDirectory()) continue;
  for (const file of readdirSync(path(folder, type)).filter((one) => one.endsWith(".txt")).sort()) {
    const result = run(`${type}/${file.slice(0, -4)}`, readFileSync(path(folder, type, file), "utf-8"));
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
}
