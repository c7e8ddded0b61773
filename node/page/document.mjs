// The network document, which says whose keys count: SPEC 10.

import { fromBase64, refuse } from "./bytes.mjs";
import { keyId } from "./crypto.mjs";
import {
  ascending, closed, decodeJson, distinct, fits, isDigest, isId, isObject, isText, lengthOf, listOf,
  number, oneOf, orNull, shaped,
} from "./json.mjs";
import { countOffices, decodeStatement, typeOf } from "./statement.mjs";

export const NETWORK = typeOf("network");
const BYTES_MAX = 2 * 2 ** 20;

// eslint-disable-next-line no-control-regex
const TURNING = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
// U+FEFF is white space for JavaScript and not for Unicode.
const WHITE_END = /^[^\S\ufeff]|[^\S\ufeff]$/;

/** A text that people are shown: one line, nothing that turns or hides it. */
export const isShown = (text) =>
  isText(text) && text !== "" && lengthOf(text) <= 256 && !TURNING.test(text) &&
  !WHITE_END.test(text);

export const isLanguage = fits(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/);
export const isWord = fits(/^[a-z][a-z0-9._-]{0,63}$/);
export const distinctOf = (most, rule) => (value) => listOf(most, rule)(value) && distinct(value);

/** Decode `{purpose, algorithm, key, …}`. */
export function publicKey({ purpose, algorithm, key }) {
  if (!isText(purpose) || !isText(algorithm) || !isText(key)) refuse("malformed", "a key");
  const raw = fromBase64(key);
  return { purpose, algorithm, raw, id: keyId(purpose, algorithm, raw) };
}

// --- 10.1 The text -----------------------------------------------------------------------------

const isPair = (value) => Array.isArray(value) && value.length === 2 && value.every(isDigest);

const isTerm = (value) => {
  closed(value, { key_ids: isPair, from: number(0), until: orNull(number(0)) });
  return value.until === null || value.from < value.until;
};

const isTerms = (value) =>
  listOf(32, isTerm, 1)(value) &&
  value.every((term, at) => at === 0 ||
    (value[at - 1].until !== null && value[at - 1].until <= term.from));

const isLogs = (value) =>
  listOf(256, shaped({ n: number(1), key_ids: isPair }), 1)(value) &&
  value.every((one, at) => at === 0 || value[at - 1].n < one.n);

const isNames = (value) =>
  isObject(value) && Object.keys(value).length >= 1 && Object.keys(value).length <= 32 &&
  Object.entries(value).every(([tag, name]) => isLanguage(tag) && isShown(name));

const isAuthority = shaped({
  id: isId, names: isNames, state: fits(/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/),
  functions: distinctOf(32, isWord), min_suite: fits(/^hpke(-[0-9a-f]{4}){3}$/),
  status: oneOf("active", "suspended", "removed"), witnesses: distinctOf(9, isId),
  sign: isTerms, logs: isLogs, witness: isTerms,
});

const isSteward = (value) => {
  closed(value, { name: isShown, keys: listOf(2, isObject) });
  const keys = value.keys.map((one) => {
    closed(one, { purpose: isText, algorithm: isText, key: isText });
    return publicKey(one);
  });
  return keys.map((key) => `${key.purpose} ${key.algorithm}`).join() ===
    "steward ed25519,steward ml-dsa-65";
};

const isPrev = (value) => {
  if (!Array.isArray(value)) return orNull(isDigest)(value);
  return listOf(32, isDigest)(value) && value.length >= 2 && ascending(value);
};

/** NFKC and case folding, by which two names of stewards would look alike.
 *
 * JavaScript has no folding; upper, then lower case is the same but for two letters.
 */
const folded = (name) =>
  Array.from(name.normalize("NFKC"), (sign) =>
    sign === "\u0131" ? sign : sign.toUpperCase().toLowerCase()).join("").replaceAll("ς", "σ");

export const idsOf = (authority) =>
  [...authority.sign, ...authority.logs, ...authority.witness].flatMap((term) => term.key_ids);

export function decodeDocument(text) {
  const document = closed(decodeJson(text, BYTES_MAX), {
    v: number(1, 1), network: isId, version: number(1), prev: isPrev, created: number(0),
    expires: number(0), threshold: number(1, 32), stewards: listOf(32, isSteward),
    witnessing: shaped({ f: number(0, 9) }), authorities: listOf(256, isAuthority),
  });
  const { stewards, threshold, authorities } = document;
  const ids = authorities.map((one) => one.id);
  const officeKeys = stewards.flatMap((one) => one.keys.map((key) => publicKey(key).id));
  const wrong =
    (document.prev === null) !== (document.version === 1) ||
    document.expires <= document.created ||
    threshold > stewards.length || 2 * threshold <= stewards.length ||
    !distinct(stewards.map((one) => folded(one.name))) || !distinct(officeKeys) ||
    !ascending(ids) || !distinct(authorities.flatMap(idsOf)) ||
    authorities.some((one) => one.witnesses.includes(one.id) ||
      one.witnesses.some((id) => !ids.includes(id)) ||
      quorumOf(document, one) > one.witnesses.length);
  if (wrong) refuse("malformed", "a document that contradicts itself");
  return document;
}

/** SPEC 10.4: how many of its witnesses a log wants. */
export function quorumOf({ witnessing }, { witnesses }) {
  return witnesses.length === 0 ? 0 : Math.floor((witnesses.length + witnessing.f) / 2) + 1;
}

export const authorityOf = (document, id) => document.authorities.find((one) => one.id === id);
const officesOf = (document) => document.stewards.map((one) => one.keys.map(publicKey));

// --- 10.2, 10.3 Verifying ----------------------------------------------------------------------

export const readDocument = (bytes) => decodeStatement(bytes, NETWORK, BYTES_MAX);

export function requireThreshold(statement, document) {
  const count = countOffices(statement, officesOf(document));
  if (count < document.threshold) refuse("not-authentic", "too few stewards have signed");
  return count;
}

/** By its own list: for the one that a person compares. */
export function verifyFirst(bytes) {
  const statement = readDocument(bytes);
  const document = decodeDocument(statement.text);
  const offices = requireThreshold(statement, document);
  return { document, digest: statement.identity, offices };
}

export function verifyNext(bytes, trusted) {
  const statement = readDocument(bytes);
  const document = decodeDocument(statement.text);
  const old = trusted.document;
  if (document.network !== old.network) refuse("not-for-us", "another network");
  if (document.version > old.version + 1) refuse("epoch-ahead", "documents are missing");
  if (document.version <= old.version) refuse("epoch-old", "not newer");
  if (document.prev !== trusted.digest) refuse("mismatch", "does not follow the trusted one");
  return verifySuccessor(statement, document, old);
}

export function verifyHealing(bytes, { common, rivals, newest }) {
  const statement = readDocument(bytes);
  const document = decodeDocument(statement.text);
  if (document.network !== common.document.network) refuse("not-for-us", "another network");
  if (!Array.isArray(document.prev) || document.prev.join() !== [...rivals].sort().join()) {
    refuse("mismatch", "does not name exactly the rivals");
  }
  if (document.version <= newest) refuse("epoch-old", "not newer than the rivals");
  return verifySuccessor(statement, document, common.document);
}

const textOfLog = ({ n, key_ids: ids }) => [n, ...ids].join();

function verifySuccessor(statement, document, old) {
  if (document.created < old.created) refuse("mismatch", "older than its predecessor");
  for (const before of old.authorities) {
    const after = authorityOf(document, before.id);
    if (after === undefined ||
      before.logs.some((log, at) => at >= after.logs.length ||
        textOfLog(log) !== textOfLog(after.logs[at]))) {
      refuse("mismatch", "an authority or one of its logs has vanished");
    }
  }
  requireThreshold(statement, old);
  const offices = requireThreshold(statement, document);
  return { document, digest: statement.identity, offices };
}
