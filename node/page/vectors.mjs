// The project's test vectors, for the types that this page reads (`tests/vectors/README.md`).
//
// Dropped on the page, a vector says whether this reader comes to the outcome that it names.

import { Refusal, ascii, encoded, fromBase64, hex, refuse, unhex, utf8 } from "./bytes.mjs";
import { digest, digitsOf, keyId, verifySignature } from "./crypto.mjs";
import * as documents from "./document.mjs";
import { verifyClosure, verifyContinuation, verifyFork } from "./history.mjs";
import { decodeJson } from "./json.mjs";
import * as listings from "./listing.mjs";
import * as log from "./log.mjs";
import { MESSAGE, decodeMessage } from "./message.mjs";
import * as receipts from "./receipt.mjs";
import { verifyReceiptFile } from "./receipt_file.mjs";
import { decodeStatement, identityOf } from "./statement.mjs";
import { ed25519, ml_dsa44, ml_dsa65 } from "./vendor/noble.mjs";

// --- the form of a vector ------------------------------------------------------------------

export function parse(text) {
  const at = text.indexOf("\n\n");
  const headers = {};
  for (const line of text.slice(0, at).split("\n")) {
    const match = /^([a-z0-9-]+): (\S(?:.*\S)?)$/.exec(line);
    if (match === null || match[1] in headers) throw new Error(`not a header: ${line}`);
    headers[match[1]] = match[2];
  }
  return { headers, body: fromBase64(text.slice(at + 2).replaceAll("\n", "")) };
}

const PUBLIC_OF = {
  ed25519: (seed) => ed25519.getPublicKey(seed),
  "ml-dsa-65": (seed) => ml_dsa65.keygen(seed).publicKey,
  "ml-dsa-44": (seed) => ml_dsa44.keygen(seed).publicKey,
};

export function keyOf(headers, name) {
  const [purpose] = name.split("-", 1);
  const algorithm = name.slice(purpose.length + 1);
  const [form, value] = headers[name].split(" ");
  const raw = form === "seed" ? PUBLIC_OF[algorithm](unhex(value)) : fromBase64(value);
  return { purpose, algorithm, raw, id: keyId(purpose, algorithm, raw) };
}

export const SIGN = ["sign-ed25519", "sign-ml-dsa-65"];
const LOG = ["log-ed25519", "log-ml-dsa-44"];
const WITNESS = ["witness-ed25519", "witness-ml-dsa-44"];
export const pairOf = (headers, names) => names.map((name) => keyOf(headers, name));

// --- one function for each type: headers, body, and how to get another vector's body -----------

const words = (body) => utf8(body).split("\n").map((line) => line.split(" "));

function hashes(body) {
  const found = [];
  for (let at = 0; at < body.length; at += 32) found.push(body.slice(at, at + 32));
  return found;
}

const named = (value) => ({ value, digits: digitsOf(value) });
const fingerprint = (label, value) =>
  named(hex(digest(ascii(`comity/v1/${label}\0`), encoded(JSON.stringify(value)))));

function safetyNumber(body) {
  const sides = words(body).map(([id, ...keys]) => [id, keys.sort()]);
  return fingerprint("safety-number", sides.sort(([one], [other]) => (one < other ? -1 : 1)));
}

function checkpoint(headers, body) {
  const signed = log.verifyCheckpoint(body, headers.origin, pairOf(headers, LOG));
  return {
    size: String(signed.size), root: hex(signed.root), time: String(signed.time),
    lines: String(signed.lines.length),
  };
}

function cosignature(headers, body) {
  const signed = log.verifyCheckpoint(body, headers.origin, pairOf(headers, LOG));
  return { time: String(log.verifyCosignature(signed, headers.witness, pairOf(headers, WITNESS))) };
}

function receipt(headers, body) {
  const { network, issuer, origin } = headers;
  const keys = pairOf(headers, LOG);
  const { decision, index, signed } = receipts.verifyReceipt(body, { network, issuer, origin, keys });
  receipts.requireAbout(decision, headers);
  return {
    kind: decision.kind, index: String(index), size: String(signed.size),
    order: String(decision.order ?? "None"), code: decision.code ?? "None",
  };
}

function receiptFile(headers, body, other) {
  const raw = headers.base === undefined ? body : replaced(other(headers.base), body);
  const { decision, index, signed, origin, documents } = verifyReceiptFile(raw);
  return {
    document: documents.at(-1).digest, kind: decision.kind, origin, index: String(index),
    size: String(signed.size),
  };
}

/** The object in a file with some of its fields as another object has them; null takes one out. */
function replaced(base, changes) {
  const whole = { ...JSON.parse(utf8(base)), ...JSON.parse(utf8(changes)) };
  const kept = Object.keys(whole).filter((name) => whole[name] !== null).sort();
  return encoded(JSON.stringify(Object.fromEntries(kept.map((name) => [name, whole[name]]))));
}

function network(headers, body, other) {
  if (headers.trusted === undefined) return { digest: documents.verifyFirst(body).digest };
  const common = documents.verifyFirst(other(headers.trusted));
  if (headers.rivals === undefined) return { digest: documents.verifyNext(body, common).digest };
  const rivals = headers.rivals.split(" ").map((name) => documents.readDocument(other(name)).identity);
  const newest = common.document.version + 1;
  return { digest: documents.verifyHealing(body, { common, rivals, newest }).digest };
}

function listing(headers, body, other) {
  const { document } = documents.verifyFirst(other(headers.document));
  return { digest: listings.verifyListing(body, document).digest };
}

function revocation(headers, body, other) {
  const { document } = documents.verifyFirst(other(headers.document));
  if (headers.by === "stewards") return listings.verifyStewardsRevocation(body, document);
  return listings.verifyOwnRevocation(body, document, pairOf(headers, SIGN));
}

function continuation(headers, body) {
  const { signed, links } = verifyContinuation(body, headers.origin, pairOf(headers, LOG));
  const sizes = links.map(({ size }) => size).join(" ");
  return { size: String(signed.size), root: hex(signed.root), links: sizes || "none" };
}

function fork(headers, body) {
  const { first, second } = verifyFork(body, headers.origin, pairOf(headers, LOG));
  return { "first-size": String(first.size), "second-size": String(second.size) };
}

function closure(headers, body, other) {
  const { document } = documents.verifyFirst(other(headers.document));
  const pair = pairOf(headers, SIGN);
  const wanted = pair.map(({ id }) => id).join();
  const { closure: found, digest: name } = verifyClosure(body, document, (ids) =>
    (ids.join() === wanted ? pair : refuse("not-authentic", "not the pair of its time")));
  return { digest: name, size: String(found.size), next: String(found.next) };
}

/** Type: its headers, and what is done with them. */
export const READERS = {
  json: [["bytes-max"], (headers, body) => {
    decodeJson(body, Number(headers["bytes-max"] ?? 4 * 2 ** 20));
  }],
  base64: [["value"], (_, body) => ({ value: hex(fromBase64(String.fromCharCode(...body))) })],
  "key-id": [["purpose", "algorithm", "value"], ({ purpose, algorithm }, body) =>
    ({ value: keyId(purpose, algorithm, body) })],
  signature: [["algorithm", "key", "signature"], ({ algorithm, key, signature }, body) =>
    verifySignature(algorithm, fromBase64(key), fromBase64(signature), body)],
  identity: [["kind", "value"], ({ kind }, body) => ({ value: identityOf(kind, body) })],
  statement: [["kind", "identity"], ({ kind }, body) =>
    ({ identity: decodeStatement(body, kind, 4 * 2 ** 20).identity })],
  "message-text": [["identity"], (_, body) => {
    decodeMessage(body);
    return { identity: identityOf(MESSAGE, body) };
  }],
  entry: [["salt", "value"], ({ salt }, body) => ({ value: hex(log.entryOf(body, unhex(salt))) })],
  record: [["kind"], (_, body) => ({ kind: receipts.decodeDecision(body).kind })],
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
  cosignature: [["origin", ...LOG, "witness", ...WITNESS, "time"], cosignature],
  receipt: [["network", "issuer", "origin", ...LOG, "sender", "message", "envelope",
    "kind", "index", "size", "order", "code"], receipt],
  "receipt-file": [["base", "document", "kind", "origin", "index", "size"], receiptFile],
  network: [["trusted", "rivals", "digest"], network],
  "network-text": [[], (_, body) => { documents.decodeDocument(body); }],
  listing: [["document", "digest"], listing],
  "listing-text": [[], (_, body) => { listings.decodeListing(body); }],
  revocation: [["document", "by", ...SIGN], revocation],
  continuation: [["origin", ...LOG, "size", "root", "links"], continuation],
  fork: [["origin", ...LOG, "first-size", "second-size"], fork],
  closure: [["document", ...SIGN, "digest", "size", "next"], closure],
  fingerprint: [["value", "digits"], (_, body) => fingerprint("fingerprint", words(body).flat().sort())],
  "safety-number": [["value", "digits"], (_, body) => safetyNumber(body)],
};

/** Run one vector: its outcome, and what was computed on the way, by the names of its headers. */
export function run(text, other, readers = READERS) {
  const { headers, body } = parse(text);
  const [known, read] = readers[headers.type];
  for (const header of Object.keys(headers)) {
    if (!["type", "expect", "comment", ...known].includes(header)) {
      throw new Error(`unknown header ${header}`);
    }
  }
  const bodyOf = (name) => parse(other(name)).body;
  try {
    return { headers, outcome: "ok", found: read(headers, body, bodyOf) ?? {} };
  } catch (fault) {
    if (!(fault instanceof Refusal)) throw fault;
    return { headers, outcome: fault.code, found: {} };
  }
}
