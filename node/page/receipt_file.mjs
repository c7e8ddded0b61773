// The receipt file, for a stranger who has nothing else: SPEC 7.4.

import { fromBase64, refuse } from "./bytes.mjs";
import { digitsOf } from "./crypto.mjs";
import { authorityOf, verifyFirst } from "./document.mjs";
import { bytesOf, closed, decodeJson, listOf, number, oneOf } from "./json.mjs";
import { decodeListing, pairOf, readListing, verifyListing } from "./listing.mjs";
import { partsOf } from "./log.mjs";
import { readClaim, verifyReceipt } from "./receipt.mjs";

export function decodeReceiptFile(bytes) {
  const file = closed(decodeJson(bytes, 16 * 2 ** 20), {
    v: number(1, 1), kind: oneOf("comity-receipt"), receipt: bytesOf(0, 65536),
    documents: listOf(4, bytesOf(0, 2 * 2 ** 20)), listings: listOf(64, bytesOf(0, 65536)),
  });
  return {
    receipt: fromBase64(file.receipt),
    documents: file.documents.map(fromBase64), listings: file.listings.map(fromBase64),
  };
}

const asActive = (document, id) => ({
  ...document,
  authorities: document.authorities.map((one) => (one.id === id ? { ...one, status: "active" } : one)),
});

/** (3) The ids of the log's keys, on which all documents agree. */
function agreedIds(documents, { decision, origin }) {
  if (documents.some(({ document }) => document.network !== decision.network)) {
    refuse("not-for-us", "a document of another network");
  }
  const { number: n } = partsOf(origin);
  const found = documents.map(({ document }) =>
    authorityOf(document, decision.to)?.logs.find((one) => one.n === n)?.key_ids);
  if (found.includes(undefined)) refuse("key-unknown", "the documents do not list the log");
  if (new Set(found.map((ids) => ids.join())).size > 1) {
    refuse("key-unknown", "the documents name different keys for the log");
  }
  return found[0];
}

export function verifyReceiptFile(bytes) {
  // (1) The form of the file, and of the receipt to its last part.
  const file = decodeReceiptFile(bytes);
  const claim = readClaim(file.receipt);
  // (2) Each document, by its own stewards.
  const documents = file.documents.map(verifyFirst);
  if (documents.length === 0) refuse("key-unknown", "the file holds no network document");
  // (3) One pair of keys.
  const ids = agreedIds(documents, claim);
  // (4) The last listing that shows both keys.
  const showing = file.listings.filter((raw) =>
    pairOf(decodeListing(readListing(raw).text), ids) !== null);
  if (showing.length === 0) refuse("key-unknown", "no listing in the file shows the keys of the log");
  const listing = documents.map(({ document }) =>
    verifyListing(showing.at(-1), asActive(document, claim.decision.to)).listing).at(-1);
  // (5) Keys of a log, in their order.
  const keys = pairOf(listing, ids);
  if (keys.some(({ purpose }) => purpose !== "log")) refuse("not-authentic", "keys of another purpose");
  if (keys.map(({ algorithm }) => algorithm).join() !== "ed25519,ml-dsa-44") {
    refuse("malformed", "the keys are not a pair in its order");
  }
  // (6) The receipt.
  const { network, to } = claim.decision;
  const proven = verifyReceipt(file.receipt, { network, issuer: to, origin: claim.origin, keys });
  return { ...proven, origin: claim.origin, documents: documents.map(documentFacts) };
}

/** What people are told about a document. */
export const documentFacts = ({ document, digest, offices }) => ({
  network: document.network, version: document.version, digest, digits: digitsOf(digest),
  created: document.created, expires: document.expires, offices,
  stewards: document.stewards.map(({ name }) => name), threshold: document.threshold,
  authorities: document.authorities.length,
});
