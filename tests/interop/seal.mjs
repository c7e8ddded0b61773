// X-Wing and HPKE: SPEC 2.2 and 5.2, RFC 9180. Only who opens envelopes needs it.

import { gcm } from "@noble/ciphers/aes.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";

import { ascii, bigEndian, join, refuse, unhex } from "../../node/page/bytes.mjs";

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
