// Bytes, and the ways in which text stands for them: SPEC 1.2.
//
// Plain functions over Uint8Array that any current browser and Node.js have. Knows no form.

/** What a reader says of bytes that it does not believe: one of the codes of SPEC 9. */
export class Refusal extends Error {
  constructor(code, detail) {
    super(detail);
    this.code = code;
  }
}

export const refuse = (code, detail) => {
  throw new Refusal(code, detail);
};

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const encoded = (text) => encoder.encode(text);

export function utf8(bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    return refuse("malformed", "not UTF-8");
  }
}

export const ascii = (text) => Uint8Array.from(text, (sign) => sign.charCodeAt(0));

export function join(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export const equal = (one, other) =>
  one.length === other.length && one.every((byte, at) => byte === other[at]);

/** Order as bytes are compared: negative, zero or positive. */
export function order(one, other) {
  const shared = Math.min(one.length, other.length);
  for (let at = 0; at < shared; at++) {
    if (one[at] !== other[at]) return one[at] - other[at];
  }
  return one.length - other.length;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export const hex = (bytes) => Array.from(bytes, (byte) => HEX[byte]).join("");
export const unhex = (text) =>
  Uint8Array.from(text.match(/[0-9a-f]{2}/g) ?? [], (pair) => parseInt(pair, 16));

export function bigEndian(number, size) {
  const bytes = new Uint8Array(size);
  for (let rest = BigInt(number), at = size - 1; at >= 0; at--, rest >>= 8n) {
    bytes[at] = Number(rest & 255n);
  }
  return bytes;
}

export const fromBigEndian = (bytes) =>
  bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);

export const littleEndian = (bytes) =>
  bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);

// --- base64 ----------------------------------------------------------------------------------

const SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES = new Uint8Array(256).fill(255);
for (let value = 0; value < 64; value++) VALUES[SIGNS.charCodeAt(value)] = value;

const notBase64 = () => refuse("malformed", "base64 that is not in its one form");

/** Decode the one form: padded, without white space, unused bits zero. */
export function fromBase64(text) {
  if (text.length % 4 !== 0) notBase64();
  const padding = text.endsWith("==") ? 2 : Number(text.endsWith("="));
  const digits = text.length - padding;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let [held, bits, at] = [0, 0, 0];
  for (let place = 0; place < digits; place++) {
    const code = text.charCodeAt(place);
    const value = code < 256 ? VALUES[code] : 255;
    if (value === 255) notBase64();
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 255;
    }
  }
  if ((held & ((1 << bits) - 1)) !== 0) notBase64();
  return bytes;
}

export function toBase64(bytes) {
  const parts = [];
  for (let at = 0; at < bytes.length; at += 3) {
    const [first, second = 0, third = 0] = bytes.subarray(at, at + 3);
    const left = bytes.length - at;
    parts.push(
      SIGNS[first >> 2], SIGNS[((first & 3) << 4) | (second >> 4)],
      left > 1 ? SIGNS[((second & 15) << 2) | (third >> 6)] : "=",
      left > 2 ? SIGNS[third & 63] : "=",
    );
  }
  return parts.join("");
}
