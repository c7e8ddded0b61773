// The receipt file, for a stranger who has nothing else: SPEC 7.4.

import { fromBase64, refuse } from "./bytes.mjs";
import { digitsOf } from "./crypto.mjs";
import { authorityOf, verifyFirst } from "./document.mjs";
import { decodeClosure, logTerms, readClosure, signIdsAt, verifyClosure } from "./history.mjs";
import { bytesOf, closed, decodeJson, listOf, number, oneOf } from "./json.mjs";
import { decodeListing, pairOf, readListing, verifyListing } from "./listing.mjs";
import { partsOf } from "./log.mjs";
import { readClaim, verifyReceipt } from "./receipt.mjs";

export function decodeReceiptFile(bytes) {
  const file = closed(decodeJson(bytes, 16 * 2 ** 20), {
    v: number(1, 1), kind: oneOf("comity-receipt"), receipt: bytesOf(0, 65536),
    documents: listOf(4, bytesOf(0, 2 * 2 ** 20)), listings: listOf(64, bytesOf(0, 65536)),
    closures: listOf(64, bytesOf(0, 16384)),
  });
  return {
    receipt: fromBase64(file.receipt), documents: file.documents.map(fromBase64),
    listings: file.listings.map(fromBase64), closures: file.closures.map(fromBase64),
  };
}

const asActive = (document, id) => ({
  ...document,
  authorities: document.authorities.map((one) => (one.id === id ? { ...one, status: "active" } : one)),
});

const originOf = (closure, n) => `${closure.network}/${closure.authority}/${n}`;

/** (1) What the closures say; each leads to the next, and the last to the log of the receipt. */
function readEnds(closures, { origin }) {
  const ends = closures.map((raw) => decodeClosure(readClosure(raw).text));
  const following = [...ends.slice(1).map((one) => one.origin), origin];
  if (ends.some((one, at) => originOf(one, one.next) !== following[at])) {
    refuse("not-authentic", "closures that do not lead to the log of the receipt");
  }
  return ends;
}

/** The one answer that all documents give. */
function agreed(documents, of, about) {
  const found = documents.map(({ document }) => of(document));
  if (new Set(found.map((ids) => String(ids))).size > 1) {
    refuse("key-unknown", `the documents name different keys for ${about}`);
  }
  return found[0];
}

/** The last listing that shows these keys, verified under each document. */
function listingOf(shown, documents, id, ids) {
  const showing = shown.filter(({ text }) => pairOf(text, ids) !== null);
  if (showing.length === 0) {
    refuse("key-unknown", "no listing in the file shows the keys of the log, or of its closure");
  }
  return documents.map(({ document }) =>
    verifyListing(showing.at(-1).raw, asActive(document, id)).listing).at(-1);
}

/** (3) A closure, by the sign keys that all documents list for its time. */
function verifyEnd(raw, { authority, created }, documents, shown) {
  const ids = agreed(documents, (document) => {
    const entry = authorityOf(document, authority)
      ?? refuse("not-permitted", "a closure by an authority that is not listed");
    return signIdsAt(entry, created) ?? refuse("not-authentic", "no sign keys for that time");
  }, "the closure of a log");
  const pair = pairOf(listingOf(shown, documents, authority, ids), ids);
  documents.forEach(({ document }) => verifyClosure(raw, document, () => pair));
}

/** (4) The ids of the log's keys: listed, or those of the lost log that it continues. */
function logIds(documents, ends, { decision, origin }) {
  const { number: n } = partsOf(origin);
  const ids = agreed(documents, (document) => {
    const entry = authorityOf(document, decision.to);
    return entry === undefined ? undefined : logTerms(entry, ends).get(n);
  }, "the log");
  return ids ?? refuse("key-unknown", "the documents do not list the log");
}

export function verifyReceiptFile(bytes) {
  // (1) The form of the file, of the receipt to its last part, and of the way to its log.
  const file = decodeReceiptFile(bytes);
  const claim = readClaim(file.receipt);
  const ends = readEnds(file.closures, claim);
  const shown = file.listings.map((raw) => ({ raw, text: decodeListing(readListing(raw).text) }));
  // (2) Each document, by its own stewards.
  const documents = file.documents.map(verifyFirst);
  if (documents.length === 0) refuse("key-unknown", "the file holds no network document");
  const { network, to } = claim.decision;
  if (documents.some(({ document }) => document.network !== network)) {
    refuse("not-for-us", "a document of another network");
  }
  // (3) Each closure, by the sign keys of its time.
  file.closures.forEach((raw, at) => verifyEnd(raw, ends[at], documents, shown));
  // (4) One pair of keys, (5) the last listing that shows both.
  const ids = logIds(documents, ends, claim);
  const listing = listingOf(shown, documents, to, ids);
  // (6) Keys of a log, in their order.
  const keys = pairOf(listing, ids);
  if (keys.some(({ purpose }) => purpose !== "log")) refuse("not-authentic", "keys of another purpose");
  if (keys.map(({ algorithm }) => algorithm).join() !== "ed25519,ml-dsa-44") {
    refuse("malformed", "the keys are not a pair in its order");
  }
  // (7) The receipt.
  const proven = verifyReceipt(file.receipt, { network, issuer: to, origin: claim.origin, keys });
  return { ...proven, origin: claim.origin, ends, documents: documents.map(documentFacts) };
}

/** What people are told about a document. */
export const documentFacts = ({ document, digest, offices }) => ({
  network: document.network, version: document.version, digest, digits: digitsOf(digest),
  created: document.created, expires: document.expires, offices,
  stewards: document.stewards.map(({ name }) => name), threshold: document.threshold,
  authorities: document.authorities.length,
});
