// The text of a message, and the manifest in its body: SPEC 4.

import { encoded, hex, refuse } from "./bytes.mjs";
import { digest } from "./crypto.mjs";
import {
  bytesOf, canonical, closed, decodeJson, distinct, fits, isCase, isDigest, isId, isObject,
  isText, lengthOf, listOf, number, orNull, shaped,
} from "./json.mjs";
import { decodeStatement, typeOf, verifyExactly } from "./statement.mjs";

export const MESSAGE = typeOf("message");
const INNER_BYTES_MAX = 4194296;
const LIFETIME_S_MAX = 90 * 86400;

const MEDIA = /^[a-z0-9][a-z0-9.+-]{0,63}\/[a-z0-9][a-z0-9.+-]{0,126}$/;

const isAttachment = shaped({
  name: (name) => isText(name) && lengthOf(name) <= 1024,
  type: fits(MEDIA),
  pt_len: number(0), pt_sha256: isDigest, ct_len: number(0), ct_sha256: isDigest,
});

export function decodeMessage(text) {
  const message = closed(decodeJson(text, 3129344), {
    v: number(1, 1), network: isId, epoch: number(1), from: isId, to: isId, case: isCase,
    seq: number(1), prev: orNull(isDigest), seen: orNull(isDigest), order: orNull(number(1)),
    skips: listOf(256, isDigest), salt: bytesOf(32), created: number(0), expires: number(0),
    kind: fits(/^[a-z][a-z0-9_]{0,63}$/), body: isObject, attachments: listOf(64, isAttachment),
  });
  const opener = message.case.split("/")[0];
  const wrong =
    !distinct(message.skips) ||
    message.from === message.to ||
    (opener !== message.from && opener !== message.to) ||
    (message.seq === 1) !== (message.prev === null) ||
    (opener !== message.from) !== (message.order !== null) ||
    message.expires <= message.created ||
    message.expires > message.created + LIFETIME_S_MAX;
  if (wrong) refuse("malformed", "fields that contradict each other");
  return message;
}

export const decodeInner = (bytes) => decodeStatement(bytes, MESSAGE, INNER_BYTES_MAX);

/** SPEC 5.3 (13), (14): both signatures, then the text. */
export const verifyMessage = (statement, pair) => decodeMessage(verifyExactly(statement, pair));

// --- 4.6 Evidence in a body --------------------------------------------------------------------

const isItem = shaped({
  path: isText, type: fits(MEDIA), size: number(0), sha256: isDigest,
});

/** The items that a body offers, an empty list if none, or null if they contradict themselves.
 *
 * What is wrong with a manifest is shown to people and refuses nothing (SPEC 4.6).
 */
export function evidenceOf(message) {
  const { evidence } = message.body;
  if (evidence === undefined) return [];
  try {
    closed(evidence, { items: number(1, 100000), manifest: isObject, sha256: isDigest });
    closed(evidence.manifest, { v: number(1, 1), items: listOf(100000, isItem) });
  } catch {
    return null;
  }
  const found = hex(digest(encoded(canonical(evidence.manifest))));
  const { items } = evidence.manifest;
  return found === evidence.sha256 && items.length === evidence.items ? items : null;
}
