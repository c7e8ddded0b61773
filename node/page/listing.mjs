// Listings and revocations: SPEC 11 and 12.

import { refuse } from "./bytes.mjs";
import { PURPOSES } from "./crypto.mjs";
import { authorityOf, distinctOf, idsOf, isLanguage, isShown, isWord, publicKey, requireThreshold }
  from "./document.mjs";
import {
  closed, decodeJson, distinct, fits, isBoolean, isDigest, isId, isObject, isText, listOf, number,
  oneOf, orNull, shaped,
} from "./json.mjs";
import { decodeStatement, typeOf, verifyExactly } from "./statement.mjs";

export const LISTING = typeOf("listing");
export const REVOCATION = typeOf("revocation");
const BYTES_MAX = 65536;
const REVOCATION_BYTES_MAX = 262144;

// --- 11.3 URLs -----------------------------------------------------------------------------------

const URL_FORM = new RegExp(
  "^https://(\\[[0-9a-f:.]+\\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)" +
  "(?::([1-9][0-9]{0,4}))?((?:/[A-Za-z0-9._~-]+)*)$",
);
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

function isHost(host) {
  const labels = host.split(".");
  const address = host.startsWith("[") || /^([0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1));
  if (!address) return labels.every((label) => LABEL.test(label));
  // The normal form of an address is the one that a URL parser gives back.
  return URL.canParse(`http://${host}/`) && new URL(`http://${host}/`).hostname === host;
}

export function isUrl(text) {
  const match = isText(text) && text.length <= 512 ? URL_FORM.exec(text) : null;
  if (match === null) return false;
  const [, host, port, path] = match;
  return isHost(host) && port !== "443" && Number(port ?? 0) <= 65535 &&
    path.split("/").every((part) => part !== "." && part !== "..");
}

// --- 11.1 The text -------------------------------------------------------------------------------

const isListedKey = (value) => {
  closed(value, {
    purpose: oneOf("sign", "seal", "hop", "log", "witness"), algorithm: isText, key: isText,
    from: number(0), until: orNull(number(0)),
  });
  publicKey(value);
  return value.until === null || value.from < value.until;
};

const isContact = shaped({
  name: isShown,
  // eslint-disable-next-line no-control-regex
  email: fits(/^(?:[^\s@<>\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,255})?$/),
  telephone: fits(/^(?:\+?[0-9][0-9 ().-]{2,38})?$/),
  languages: distinctOf(32, isLanguage),
});

export function decodeListing(text) {
  const listing = closed(decodeJson(text, BYTES_MAX), {
    v: number(1, 1), network: isId, authority: isId, serial: number(1), prev: orNull(isDigest),
    created: number(0), expires: number(0), keys: listOf(32, isListedKey),
    urls: distinctOf(4, isUrl), pins: distinctOf(8, isDigest), any_ca: isBoolean, pull: isBoolean,
    contacts: listOf(16, isContact), languages: distinctOf(32, isLanguage),
    channels: distinctOf(32, isWord), declarations: isObject,
  });
  const purposes = listing.keys.map((one) => one.purpose);
  const wrong =
    (listing.prev === null) !== (listing.serial === 1) ||
    listing.expires <= listing.created ||
    !distinct(listing.keys.map((one) => one.key)) ||
    !purposes.includes("seal") || !purposes.includes("hop") ||
    (listing.urls.length === 0 && !listing.pull) ||
    (listing.urls.length > 0 && listing.pins.length === 0 && !listing.any_ca);
  if (wrong) refuse("malformed", "a listing that contradicts itself");
  return { ...listing, keys: listing.keys.map(publicKey) };
}

export const readListing = (bytes) => decodeStatement(bytes, LISTING, BYTES_MAX);
export const keyOf = (listing, id) => listing.keys.find((key) => key.id === id);

/** The keys of these ids, or null if the listing does not show them all. */
export const pairOf = (listing, ids) => {
  const keys = ids.map((id) => keyOf(listing, id));
  return keys.includes(undefined) ? null : keys;
};

// --- 11.2 Verifying ------------------------------------------------------------------------------

export function verifyListing(bytes, document) {
  const statement = readListing(bytes);
  // (1) The text, of this network, by a listed authority.
  const listing = decodeListing(statement.text);
  if (listing.network !== document.network) refuse("not-for-us", "a listing of another network");
  const entry = authorityOf(document, listing.authority);
  if (entry === undefined || entry.status === "removed") {
    refuse("not-permitted", "a listing of an authority that is not listed");
  }
  // (2) Its lasting keys are those that the stewards signed.
  const lasting = listing.keys.filter((key) => ["sign", "log", "witness"].includes(key.purpose));
  const allowed = idsOf(entry);
  if (lasting.some((key) => !allowed.includes(key.id))) {
    refuse("not-authentic", "a lasting key that the stewards did not sign");
  }
  const shows = (term) => term.key_ids.every((id) => lasting.some((key) => key.id === id));
  if (![entry.sign, entry.logs, entry.witness].every((terms) => terms.some(shows))) {
    refuse("not-authentic", "it lacks the authority's sign, log or witness keys");
  }
  // (3) Signed by a pair whose term was not over.
  const signed = statement.signatures.map(([id]) => id).join();
  const term = entry.sign.find((one) => one.key_ids.join() === signed &&
    (one.until === null || listing.created < one.until));
  const pair = term === undefined ? null : pairOf(listing, term.key_ids);
  if (pair === null) refuse("not-authentic", "not signed by the authority's sign keys of its time");
  verifyExactly(statement, pair);
  return { listing, digest: statement.identity };
}

// --- 12 Revocations ------------------------------------------------------------------------------

const REVOCABLE = Object.keys(PURPOSES).filter((purpose) => purpose !== "steward");

export const readRevocation = (bytes) =>
  decodeStatement(bytes, REVOCATION, REVOCATION_BYTES_MAX);

export function decodeRevocation(text) {
  return closed(decodeJson(text, REVOCATION_BYTES_MAX), {
    v: number(1, 1), network: isId, authority: isId, purpose: oneOf(...REVOCABLE),
    key_id: isDigest, at: number(0), log_size: orNull(number(0)),
  });
}

function revocationIn(statement, document) {
  const revocation = decodeRevocation(statement.text);
  if (revocation.network !== document.network) refuse("not-for-us", "another network");
  if (authorityOf(document, revocation.authority) === undefined) {
    refuse("not-permitted", "an authority that is not listed");
  }
  return { revocation, digest: statement.identity };
}

export function verifyOwnRevocation(bytes, document, pair) {
  const statement = readRevocation(bytes);
  const found = revocationIn(statement, document);
  verifyExactly(statement, pair);
  return found;
}

export function verifyStewardsRevocation(bytes, document) {
  const statement = readRevocation(bytes);
  const found = revocationIn(statement, document);
  requireThreshold(statement, document);
  return found;
}
