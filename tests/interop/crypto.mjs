// The cryptography of SPEC 2.3 and 5.2, on @noble's primitives and nothing of Comity's.
//
// Knows no message and no header. Whatever fails here is `not-authentic`.

import { gcm } from "@noble/ciphers/aes.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { ml_dsa44, ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";

export class Refusal extends Error {
  constructor(code, detail) {
    super(`${code}: ${detail}`);
    this.code = code;
  }
}

export const refuse = (code, detail) => {
  throw new Refusal(code, detail);
};

export const ascii = (text) => Uint8Array.from(text, (sign) => sign.charCodeAt(0));
export const hex = (bytes) => Buffer.from(bytes).toString("hex");
export const unhex = (text) => Uint8Array.from(Buffer.from(text, "hex"));
export const join = (...parts) => Uint8Array.from(Buffer.concat(parts));
export const digest = (...parts) => sha256(join(...parts));
export const equal = (one, other) => Buffer.compare(one, other) === 0;

export function bigEndian(number, size) {
  const bytes = new Uint8Array(size);
  for (let rest = BigInt(number), at = size - 1; at >= 0; at--, rest >>= 8n) {
    bytes[at] = Number(rest & 255n);
  }
  return bytes;
}

const littleEndian = (bytes) =>
  bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);

// --- signatures (SPEC 2.3) ---------------------------------------------------------------

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
  const [encoded, scalar] = [signature.slice(0, 32), littleEndian(signature.slice(32))];
  // (1) S < L. (2), (3) A and R canonical and not of small order.
  if (scalar >= ORDER) refuse("not-authentic", "S is not less than L");
  const [public_, commitment] = [strictPoint(key), encoded];
  strictPoint(commitment);
  // (4) Without the cofactor: [S]B - [k]A encodes to exactly R.
  const challenge = littleEndian(sha512(join(encoded, key, text))) % ORDER;
  const found = Point.BASE.multiplyUnsafe(scalar).subtract(public_.multiplyUnsafe(challenge));
  if (!equal(found.toBytes(), encoded)) refuse("not-authentic", "the equation does not hold");
}

const verifyMlDsa = (scheme) => (key, signature, text) => {
  if (!scheme.verify(signature, text, key)) refuse("not-authentic", "ML-DSA does not hold");
};

export const ALGORITHMS = {
  ed25519: { key: 32, signature: 64, verify: verifyEd25519,
    publicOf: (seed) => ed25519.getPublicKey(seed) },
  "ml-dsa-65": { key: 1952, signature: 3309, verify: verifyMlDsa(ml_dsa65),
    publicOf: (seed) => ml_dsa65.keygen(seed).publicKey },
  "ml-dsa-44": { key: 1312, signature: 2420, verify: verifyMlDsa(ml_dsa44),
    publicOf: (seed) => ml_dsa44.keygen(seed).publicKey },
  "x-wing": { key: 1216, publicOf: (seed) => sealPrivate(seed).public_ },
};

export function verifySignature(algorithm, key, signature, text) {
  const scheme = ALGORITHMS[algorithm];
  if (signature.length !== scheme.signature) refuse("not-authentic", "a signature's length");
  try {
    scheme.verify(key, signature, text);
  } catch (fault) {
    refuse("not-authentic", fault.message);
  }
}

// --- X-Wing and HPKE (SPEC 2.2, 5.2; RFC 9180) ---------------------------------------------

const X_WING_LABEL = unhex("5c2e2f2f5e5c");
const KEM_CIPHERTEXT = 1088;

export function sealPrivate(seed) {
  const expanded = shake256(seed, { dkLen: 96 });
  const lattice = ml_kem768.keygen(expanded.slice(0, 64));
  const scalar = expanded.slice(64);
  const share = x25519.getPublicKey(scalar);
  return { lattice, scalar, share, public_: join(lattice.publicKey, share) };
}

function decapsulate(encapsulated, key) {
  const [sealed, share] = [
    encapsulated.slice(0, KEM_CIPHERTEXT), encapsulated.slice(KEM_CIPHERTEXT),
  ];
  const first = ml_kem768.decapsulate(sealed, key.lattice.secretKey);
  const second = x25519.getSharedSecret(key.scalar, share);
  return sha3_256(join(first, second, share, key.share, X_WING_LABEL));
}

const SUITE_ID = join(ascii("HPKE"), unhex("647a00010002"));
const NOTHING = new Uint8Array();

const labeledExtract = (salt, label, material) =>
  extract(sha256, join(ascii("HPKE-v1"), SUITE_ID, ascii(label), material), salt);

const labeledExpand = (secret, label, context, size) =>
  expand(sha256, secret,
    join(bigEndian(size, 2), ascii("HPKE-v1"), SUITE_ID, ascii(label), context), size);

/** Open a single-shot HPKE text in base mode, without aad: RFC 9180 sections 5.1 and 6.1. */
export function hpkeOpen(key, bound, encapsulated, ciphertext) {
  try {
    const context = join(
      unhex("00"),
      labeledExtract(NOTHING, "psk_id_hash", NOTHING),
      labeledExtract(NOTHING, "info_hash", bound),
    );
    const secret = labeledExtract(decapsulate(encapsulated, key), "secret", NOTHING);
    const aead = labeledExpand(secret, "key", context, 32);
    const nonce = labeledExpand(secret, "base_nonce", context, 12);
    return gcm(aead, nonce).decrypt(ciphertext);
  } catch (fault) {
    return refuse("not-authentic", `it does not open: ${fault.message}`);
  }
}
