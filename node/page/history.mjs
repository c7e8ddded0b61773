// What a log was, that it forked, and that it is closed: SPEC 6.7 to 6.9.

import { equal, fromBase64, order, refuse, unhex } from "./bytes.mjs";
import { authorityOf } from "./document.mjs";
import {
  bytesOf, closed, decodeJson, isDigest, isId, listOf, number, oneOf, orNull, shaped,
} from "./json.mjs";
import { isOrigin, partsOf, verifyCheckpoint, verifyConsistency } from "./log.mjs";
import { decodeStatement, typeOf, verifyExactly } from "./statement.mjs";

const NOTE_BYTES_MAX = 65536;
const isHash = bytesOf(32);
const isPath = listOf(63, isHash);

// --- 6.7 Continuations ---------------------------------------------------------------------------

export function decodeContinuation(bytes) {
  const found = closed(decodeJson(bytes, 1024 * 1024), {
    v: number(1, 1), checkpoint: bytesOf(0, NOTE_BYTES_MAX),
    links: listOf(512, shaped({ size: number(0), root: isHash, path: isPath })),
  });
  if (found.links.some(({ size }, at) => at > 0 && found.links[at - 1].size >= size)) {
    refuse("malformed", "links that are not in ascending order");
  }
  return {
    checkpoint: fromBase64(found.checkpoint),
    links: found.links.map(({ size, root, path }) =>
      ({ size, root: fromBase64(root), path: path.map(fromBase64) })),
  };
}

export function verifyContinuation(bytes, origin, keys) {
  const { checkpoint, links } = decodeContinuation(bytes);
  const signed = verifyCheckpoint(checkpoint, origin, keys);
  for (const { size, root, path } of links) {
    verifyConsistency({ oldSize: size, oldRoot: root, newSize: signed.size, newRoot: signed.root, path });
  }
  return { signed, links };
}

// --- 6.8 Fork proofs -----------------------------------------------------------------------------

export function decodeFork(bytes) {
  const found = closed(decodeJson(bytes, 196608), {
    v: number(1, 1), kind: oneOf("comity-fork"), origin: isOrigin,
    first: bytesOf(0, NOTE_BYTES_MAX), second: bytesOf(0, NOTE_BYTES_MAX),
    root: orNull(isHash), path: isPath,
  });
  if (found.root === null && found.path.length > 0) refuse("malformed", "a path from no root");
  return {
    origin: found.origin, first: fromBase64(found.first), second: fromBase64(found.second),
    root: found.root === null ? null : fromBase64(found.root), path: found.path.map(fromBase64),
  };
}

export function verifyFork(bytes, origin, keys) {
  const fork = decodeFork(bytes);
  if (fork.origin !== origin) refuse("not-authentic", "a fork proof about another log");
  const first = verifyCheckpoint(fork.first, origin, keys);
  const second = verifyCheckpoint(fork.second, origin, keys);
  if (fork.root === null) {
    if (first.size !== second.size || order(first.root, second.root) >= 0) {
      refuse("not-authentic", "not two roots of one size, in their order");
    }
  } else {
    if (first.size >= second.size || equal(fork.root, first.root)) {
      refuse("not-authentic", "not another root at the size of the smaller checkpoint");
    }
    verifyConsistency({
      oldSize: first.size, oldRoot: fork.root, newSize: second.size, newRoot: second.root,
      path: fork.path,
    });
  }
  return { first, second };
}

// --- 6.9 Closures --------------------------------------------------------------------------------

export const CLOSURE = typeOf("log-closed");
const CLOSURE_BYTES_MAX = 16384;

export const readClosure = (bytes) => decodeStatement(bytes, CLOSURE, CLOSURE_BYTES_MAX);

export function decodeClosure(text) {
  const closure = closed(decodeJson(text, CLOSURE_BYTES_MAX), {
    v: number(1, 1), network: isId, authority: isId, origin: isOrigin, size: number(0),
    root: isDigest, reason: oneOf("lost-state", "new-keys"), next: number(1, 999999999),
    created: number(0),
  });
  const { network, authority, number: n } = partsOf(closure.origin);
  const emptyRoot = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  if (network !== closure.network || authority !== closure.authority || closure.next <= n ||
    (closure.size === 0 && closure.root !== emptyRoot)) {
    refuse("malformed", "a closure that contradicts itself");
  }
  return { ...closure, number: n, root: unhex(closure.root) };
}

/** The ids of the pair that speaks for an authority at a time, or undefined. */
export const signIdsAt = (entry, time) =>
  entry.sign.findLast((term) => term.from <= time && (term.until === null || time < term.until))
    ?.key_ids;

/** The ids of the keys of each log: listed, or those of the lost one that it continues. */
export function logTerms(entry, closures) {
  const terms = new Map(entry.logs.map(({ n, key_ids: ids }) => [n, ids]));
  const own = closures.filter(({ authority, reason }) =>
    authority === entry.id && reason === "lost-state");
  for (const { number: n, next } of own.sort((one, other) => one.number - other.number)) {
    if (terms.has(n) && !terms.has(next)) terms.set(next, terms.get(n));
  }
  return terms;
}

/** The pair of keys is that of the closure's time, as the document lists it. */
export function verifyClosure(bytes, document, pairOfIds) {
  const statement = readClosure(bytes);
  const closure = decodeClosure(statement.text);
  if (closure.network !== document.network) refuse("not-for-us", "a closure of another network");
  const entry = authorityOf(document, closure.authority);
  if (entry === undefined) refuse("not-permitted", "a closure by an authority that is not listed");
  const ids = signIdsAt(entry, closure.created);
  if (ids === undefined) refuse("not-authentic", "no sign keys for that time");
  verifyExactly(statement, pairOfIds(ids));
  return { closure, digest: statement.identity };
}

/** Whether a signed checkpoint of the closed log lies beyond its end, or beside it. */
export const wasCut = (closure, checkpoint) =>
  checkpoint.size > closure.size ||
  (checkpoint.size === closure.size && !equal(checkpoint.root, closure.root));
