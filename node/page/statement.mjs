// Signed statements, DSSE with nothing left to choose: SPEC 3.

import { ascii, encoded, fromBase64, hex, join, refuse } from "./bytes.mjs";
import { digest, verifySignature } from "./crypto.mjs";
import { bytesOf, closed, decodeJson, fits, isDigest, listOf, shaped } from "./json.mjs";

export const typeOf = (word) => `application/vnd.comity.${word}.v1+json`;

export function pae(kind, text) {
  const type = encoded(kind);
  return join(ascii(`DSSEv1 ${type.length} `), type, ascii(` ${text.length} `), text);
}

export const identityOf = (kind, text) => hex(digest(pae(kind, text)));

export function decodeStatement(bytes, kind, most) {
  const statement = closed(decodeJson(bytes, most), {
    payload: bytesOf(0, most),
    payloadType: fits(/^application\/vnd\.comity\.[a-z.-]+\.v1\+json$/),
    signatures: listOf(256, shaped({ keyid: isDigest, sig: bytesOf(0, 4096) })),
  });
  if (statement.payloadType !== kind) refuse("malformed", "another type");
  const text = fromBase64(statement.payload);
  const signatures = statement.signatures.map(({ keyid, sig }) => [keyid, fromBase64(sig)]);
  return { kind, text, signatures, identity: identityOf(kind, text) };
}

const verifyOne = (statement, key, signature) =>
  verifySignature(key.algorithm, key.raw, signature, pae(statement.kind, statement.text));

/** SPEC 3.4: exactly these keys, in this order. */
export function verifyExactly(statement, keys) {
  const wanted = keys.map((key) => key.id).join();
  if (statement.signatures.map(([id]) => id).join() !== wanted) {
    refuse("not-authentic", "not the signatures of the expected keys");
  }
  keys.forEach((key, at) => verifyOne(statement, key, statement.signatures[at][1]));
  return statement.text;
}

/** SPEC 3.5: how many of these offices, each a pair of keys, have signed. */
export function countOffices(statement, offices) {
  const ids = statement.signatures.map(([id]) => id);
  if (ids.some((id, at) => at > 0 && ids[at - 1] >= id)) {
    refuse("malformed", "signatures that are not in the order of their keys");
  }
  const found = new Map(statement.signatures);
  let count = 0;
  for (const keys of offices) {
    const signed = keys.filter((key) => found.has(key.id));
    if (signed.length === 0) continue;
    if (signed.length < keys.length) refuse("not-authentic", "half of an office's signatures");
    for (const key of keys) verifyOne(statement, key, found.get(key.id));
    count += 1;
  }
  return count;
}
