// Canonical JSON and closed forms: SPEC 1.1, the conventions, and names (2.1).

import { encoded, fromBase64, order, refuse, utf8 } from "./bytes.mjs";

/** Write a value as canonical JSON; a deep or foreign one is refused. */
export function canonical(value, depth = 0) {
  if (depth > 32) refuse("too-large", "nested too deep");
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value) || value < 0) refuse("malformed", "not an integer of ours");
    return String(value);
  }
  if (typeof value === "string") {
    if (/\p{Surrogate}/u.test(value)) refuse("malformed", "a lone surrogate");
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map((member) => canonical(member, depth + 1)).join(",")}]`;
  }
  const keys = Object.keys(value).sort();
  // eslint-disable-next-line no-control-regex
  if (keys.some((key) => !/^[\x00-\x7f]*$/.test(key))) refuse("malformed", "a key not in ASCII");
  return `{${keys.map((key) =>
    `${JSON.stringify(key)}:${canonical(value[key], depth + 1)}`).join(",")}}`;
}

export function decodeJson(bytes, most) {
  if (bytes.length > most) refuse("too-large", "more bytes than the form allows");
  const text = utf8(bytes);
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    refuse("malformed", "not JSON");
  }
  if (canonical(value) !== text) refuse("malformed", "not canonical");
  return value;
}

// --- rules: value in, true or false out; a rule may also refuse by itself ---------------------

export const isText = (value) => typeof value === "string";
export const isBoolean = (value) => typeof value === "boolean";
export const isObject = (value) =>
  value !== null && typeof value === "object" && !Array.isArray(value);
export const fits = (pattern) => (value) => isText(value) && pattern.test(value);
export const oneOf = (...values) => (value) => values.includes(value);
export const number = (low, high = Number.MAX_SAFE_INTEGER) => (value) =>
  Number.isSafeInteger(value) && low <= value && value <= high;
export const orNull = (rule) => (value) => value === null || rule(value);

/** Base64 of so many bytes. */
export const bytesOf = (least, most = least) => (value) => {
  if (!isText(value)) return false;
  const { length } = fromBase64(value);
  return least <= length && length <= most;
};

/** A list whose members obey a rule; too many are told from wrong ones. */
export const listOf = (most, rule, least = 0) => (value) => {
  if (!Array.isArray(value)) return false;
  if (value.length > most) refuse("too-large", `more than ${most}`);
  return value.length >= least && value.every(rule);
};

/** Check a closed object, field by field. */
export function closed(value, form) {
  if (!isObject(value)) refuse("malformed", "not an object");
  for (const [name, rule] of Object.entries(form)) {
    if (!Object.hasOwn(value, name) || !rule(value[name])) refuse("malformed", `the field ${name}`);
  }
  if (Object.keys(value).length !== Object.keys(form).length) refuse("malformed", "unknown field");
  return value;
}

/** The rule that a value is a closed object. */
export const shaped = (form) => (value) => closed(value, form) === value;

export const lengthOf = (text) => [...text].length;

export const distinct = (values) => new Set(values).size === values.length;

/** Whether texts stand in strictly ascending order of their bytes. */
export const ascending = (texts) => {
  const bytes = texts.map(encoded);
  return bytes.every((one, at) => at === 0 || order(bytes[at - 1], one) < 0);
};

// --- 2.1 Names -------------------------------------------------------------------------------

export const ID = "[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?";
export const isId = fits(new RegExp(`^${ID}$`));
export const isCase = fits(new RegExp(`^${ID}/[0-9a-f]{32}$`));
export const isDigest = fits(/^[0-9a-f]{64}$/);
