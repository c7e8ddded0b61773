// The parts of a bundle in their form and order: SPEC 15.2. Nothing of them is proved here.

import { encoded, fromBase64, hex, order, refuse } from "./bytes.mjs";
import { decodeContainer } from "./container.mjs";
import { digest } from "./crypto.mjs";
import { decodeDocument, readDocument } from "./document.mjs";
import { decodeClosure, decodeContinuation, decodeFork, readClosure } from "./history.mjs";
import { bytesOf, closed, decodeJson, fits, isId, isObject, number } from "./json.mjs";
import { decodeListing, decodeRevocation, readListing, readRevocation } from "./listing.mjs";
import { decodeProof, readCheckpoint } from "./log.mjs";
import { decodeInner, decodeMessage } from "./message.mjs";
import { decodeDecision } from "./receipt.mjs";

const MANIFEST_BYTES_MAX = 64 * 2 ** 20;
const NOTE_BYTES_MAX = 65536;
const TOKEN_BYTES_MAX = 65536;

const isKind = fits(/^[a-z]+(\.[a-z-]+)?$/);

/** A record of any kind: the fields that all have are strict, the others open. */
export function decodeAnyRecord(bytes) {
  const record = decodeJson(bytes, 4096);
  if (!isObject(record)) refuse("malformed", "not an object");
  const { v, network, kind, at } = record;
  if (!number(1, 1)(v) || !isId(network) || !isKind(kind) || kind.length > 64 || !number(0)(at)) {
    refuse("malformed", "not a record");
  }
  return record;
}

/** A record with its salt and proof (`.proof.json`); a receipt has the same form. */
export function readProofFile(bytes) {
  const file = closed(decodeJson(bytes, 65536), {
    v: number(1, 1), record: bytesOf(0, 4096), salt: bytesOf(32), proof: bytesOf(0, 40960),
  });
  const [raw, salt, proof] = [file.record, file.salt, file.proof].map(fromBase64);
  const { index, checkpoint } = decodeProof(proof);
  return { record: decodeAnyRecord(raw), raw, salt, proof, index, note: checkpoint,
    ...readCheckpoint(checkpoint) };
}

function readReceiptPart(bytes) {
  const part = readProofFile(bytes);
  return { ...part, decision: decodeDecision(part.raw) };
}

function readMessagePart(bytes) {
  const statement = decodeInner(bytes);
  return { statement, identity: statement.identity, message: decodeMessage(statement.text) };
}

const stated = (read, decode) => (bytes) => {
  const { text, identity, signatures } = read(bytes);
  return { text: decode(text), digest: identity, signers: signatures.map(([id]) => id) };
};

function readHead(bytes) {
  const continuation = decodeContinuation(bytes);
  return { ...continuation, ...readCheckpoint(continuation.checkpoint) };
}

function readTimestamp(bytes) {
  const found = closed(decodeJson(bytes, (NOTE_BYTES_MAX + TOKEN_BYTES_MAX) * 2), {
    v: number(1, 1), checkpoint: bytesOf(0, NOTE_BYTES_MAX), token: bytesOf(0, TOKEN_BYTES_MAX),
  });
  const note = fromBase64(found.checkpoint);
  return { note, token: fromBase64(found.token), ...readCheckpoint(note) };
}

function readManifest(bytes) {
  return { manifest: decodeJson(bytes, MANIFEST_BYTES_MAX), sha256: hex(digest(bytes)) };
}

/** How a part of each folder is read, and the key by which they are sorted. */
const READ = {
  messages: [readMessagePart, ({ message }) => [message.from, message.seq]],
  receipts: [readReceiptPart, ({ decision }) => [decision.identity]],
  manifests: [readManifest, ({ sha256 }) => [sha256]],
  records: [readProofFile, ({ origin, index }) => [origin, index]],
  documents: [stated(readDocument, decodeDocument), ({ text }) => [text.version]],
  listings: [stated(readListing, decodeListing),
    ({ text, digest: name }) => [text.authority, text.serial, name]],
  revocations: [stated(readRevocation, decodeRevocation), ({ digest: name }) => [name]],
  closures: [stated(readClosure, decodeClosure), ({ text }) => [text.authority, text.number]],
  forks: [decodeFork, ({ origin }) => [origin]],
  heads: [readHead, ({ origin, size, links }) => [origin, size, links[0]?.size ?? 0]],
  timestamps: [readTimestamp, ({ origin, size, token }) => [origin, size, hex(digest(token))]],
};

/** A statement about the network: its text, digest, and the ids of those who signed. */
export const statedPart = (folder, bytes) => READ[folder][0](bytes);

/** Compare two keys, numbers as numbers and texts by their bytes. */
export function compareKeys(one, other) {
  for (const [at, value] of one.entries()) {
    const found = typeof value === "number"
      ? value - other[at] : order(encoded(value), encoded(other[at]));
    if (found !== 0) return found;
  }
  return 0;
}

/** Run something about one part, so that whoever reads a refusal knows which part it was. */
export function about(name, run) {
  try {
    return run();
  } catch (fault) {
    fault.where ??= name;
    throw fault;
  }
}

/** Every part of a bundle in its form, with `raw` and `name`, by folder. */
export function readBundle(bytes) {
  const container = decodeContainer(bytes);
  const parts = {};
  for (const [folder, [read, keyOf]] of Object.entries(READ)) {
    parts[folder] = container.parts[folder].map(({ name, raw }) =>
      about(name, () => ({ ...read(raw), name, bytes: raw })));
    for (const [at, part] of parts[folder].entries()) {
      if (at > 0 && compareKeys(keyOf(parts[folder][at - 1]), keyOf(part)) >= 0) {
        about(part.name, () => refuse("malformed", "parts that are not in their order"));
      }
    }
  }
  return { about: container.about, summary: container.summary, ...parts };
}
