// Digests and signatures: SPEC 2.2 and 2.3, on @noble's primitives.
//
// Knows no statement and no log. Whatever fails here is `not-authentic`.

import { ascii, equal, hex, join, littleEndian, refuse } from "./bytes.mjs";
import { ed25519, ml_dsa44, ml_dsa65, sha256, sha512 } from "./vendor/noble.mjs";

export const digest = (...parts) => sha256(parts.length === 1 ? parts[0] : join(...parts));

const { Point } = ed25519;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** Decode a canonical point of large order; noble's own verify would not insist on either. */
function strictPoint(bytes) {
  const point = Point.fromBytes(bytes, false);
  if (!equal(point.toBytes(), bytes)) refuse("not-authentic", "a point that is not canonical");
  if (point.isSmallOrder()) refuse("not-authentic", "a point of small order");
  return point;
}

function verifyEd25519(key, signature, text) {
  const commitment = signature.slice(0, 32);
  const scalar = littleEndian(signature.slice(32));
  // (1) S < L. (2), (3) A and R canonical and not of small order.
  if (scalar >= ORDER) refuse("not-authentic", "S is not less than L");
  const point = strictPoint(key);
  strictPoint(commitment);
  // (4) Without the cofactor: [S]B - [k]A encodes to exactly R.
  const challenge = littleEndian(sha512(join(commitment, key, text))) % ORDER;
  const found = Point.BASE.multiplyUnsafe(scalar).subtract(point.multiplyUnsafe(challenge));
  if (!equal(found.toBytes(), commitment)) refuse("not-authentic", "the equation does not hold");
}

const verifyMlDsa = (scheme) => (key, signature, text) => {
  if (!scheme.verify(signature, text, key)) refuse("not-authentic", "ML-DSA does not hold");
};

/** Lengths of key and signature, and how a signature is verified. */
export const ALGORITHMS = {
  ed25519: { key: 32, signature: 64, verify: verifyEd25519 },
  "ml-dsa-65": { key: 1952, signature: 3309, verify: verifyMlDsa(ml_dsa65) },
  "ml-dsa-44": { key: 1312, signature: 2420, verify: verifyMlDsa(ml_dsa44) },
  "x-wing": { key: 1216 },
};

export const PURPOSES = {
  sign: ["ed25519", "ml-dsa-65"], seal: ["x-wing"], hop: ["ed25519"],
  log: ["ed25519", "ml-dsa-44"], witness: ["ed25519", "ml-dsa-44"],
  steward: ["ed25519", "ml-dsa-65"],
};

/** One signature costs some milliseconds, and a bundle shows many of them often. */
const held = new Set();
const HELD_MAX = 4096;

export function verifySignature(algorithm, key, signature, text) {
  const scheme = ALGORITHMS[algorithm];
  if (signature.length !== scheme.signature) refuse("not-authentic", "a signature's length");
  if (key.length !== scheme.key) refuse("not-authentic", "a key's length");
  const name = hex(digest(ascii(algorithm), key, signature, digest(text)));
  if (held.has(name)) return;
  try {
    scheme.verify(key, signature, text);
  } catch (fault) {
    refuse("not-authentic", fault.message);
  }
  if (held.size >= HELD_MAX) held.clear();
  held.add(name);
}

export function keyId(purpose, algorithm, raw) {
  if (!Object.hasOwn(PURPOSES, purpose) || !PURPOSES[purpose].includes(algorithm)) {
    refuse("malformed", "no such key");
  }
  if (raw.length !== ALGORITHMS[algorithm].key) refuse("malformed", "a key's length");
  return hex(digest(ascii(`comity/v1/key\0${purpose}\0${algorithm}\0`), raw));
}

/** SPEC 13: sixty digits in twelve groups, of 64 hex digits. */
export function digitsOf(text) {
  const number = BigInt(`0x${text}`) % 10n ** 60n;
  return String(number).padStart(60, "0").match(/.{5}/g).join(" ");
}
