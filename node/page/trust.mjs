// Whose keys count in a bundle: its documents, listings, closures and revocations (SPEC 15.4).
//
// What does not hold is refused; what cannot be decided is told to the report, and goes on.

import { Refusal, refuse } from "./bytes.mjs";
import { authorityOf, verifyFirst, verifyHealing, verifyNext } from "./document.mjs";
import { logTerms, signIdsAt, verifyClosure } from "./history.mjs";
import { verifyListing, verifyOwnRevocation, verifyStewardsRevocation } from "./listing.mjs";
import { partsOf } from "./log.mjs";
import { about, statedPart } from "./parts.mjs";

/** What a reader could not decide, with the part that it is about. */
export class Open {
  constructor() {
    this.reasons = [];
  }

  say(where, reason) {
    this.reasons.push({ where, reason });
  }
}

/** The chain of documents, each verified by those before it; null if it cannot be followed. */
export function verifyDocuments(documents, open) {
  const chain = [];
  for (const { name, bytes, text } of documents) {
    const next = about(name, () => (chain.length === 0 ? verifyFirst(bytes)
      : successor(bytes, text, chain)));
    if (next === null) {
      open.say(name, "the documents before it are not in the file");
      return null;
    }
    chain.push(next);
  }
  if (chain.length === 0) open.say("documents", "the file holds no network document");
  return chain.length === 0 ? null : chain;
}

/** The next of the chain, or null if what comes before it is not there. */
function successor(bytes, text, chain) {
  const last = chain.at(-1);
  const newest = last.document.version;
  if (!Array.isArray(text.prev)) {
    return text.version > newest + 1 ? null : verifyNext(bytes, last);
  }
  const at = chain.findIndex(({ digest }) => text.prev.includes(digest));
  if (at < 1) return null;
  return verifyHealing(bytes, { common: chain[at - 1], rivals: text.prev, newest });
}

/** An authority that was removed stays listed so that its receipts can be verified. */
function asActive(document, id) {
  const authorities = document.authorities.map((one) =>
    one.id === id ? { ...one, status: "active" } : one);
  return { ...document, authorities };
}

/** The first answer that no document refuses; the last refusal if all do. */
export function underOne(chain, verify) {
  let last = null;
  for (const { document } of chain.toReversed()) {
    try {
      return verify(document);
    } catch (fault) {
      last = fault;
    }
  }
  throw last;
}

/** Refuse keys that are not a pair of one purpose. */
export function requirePair(keys, purpose) {
  const found = keys.map((key) => `${key.purpose} ${key.algorithm}`).join();
  if (found !== `${purpose} ed25519,${purpose} ml-dsa-44`) {
    refuse("not-authentic", `the keys are no pair of ${purpose} keys`);
  }
}

/** Who has which keys, by everything in the bundle that verifies. */
export class Trust {
  constructor(chain, bundle, open) {
    this.chain = chain;
    this.newest = chain.at(-1).document;
    this.open = open;
    this.keys = new Map();
    this.held = new Set();
    for (const { name, bytes, text } of bundle.listings) {
      about(name, () => this.#addListing(bytes, text));
    }
    this.closures = bundle.closures.filter((part) => about(part.name, () => this.#isClosure(part)));
    this.revocations = bundle.revocations
      .filter((part) => about(part.name, () => this.#isRevocation(part)))
      .map(({ text }) => text);
  }

  /** Trust in loose files: what does not hold among them says nothing, and is judged by itself. */
  static ofLoose(chain, files) {
    const trust = new Trust(chain, { listings: [], closures: [], revocations: [] }, new Open());
    const sound = (parts, kind, run) => parts.flatMap(({ name, bytes }) => {
      try {
        const part = { name, bytes, ...statedPart(kind, bytes) };
        if (!run(part)) return [];
        trust.held.add(part.digest);
        return [part];
      } catch (fault) {
        if (fault instanceof Refusal) return [];
        throw fault;
      }
    });
    sound(files.listings, "listings", ({ bytes, text }) => trust.#addListing(bytes, text));
    trust.closures = sound(files.closures, "closures", (part) => trust.#isClosure(part));
    trust.revocations = sound(files.revocations, "revocations", (part) => trust.#isRevocation(part))
      .map(({ text }) => text);
    return trust;
  }

  /** Whether a loose statement was borne out by the documents beside it. */
  holds(name) {
    return this.held.has(name);
  }

  #addListing(bytes, text) {
    underOne(this.chain, (document) => verifyListing(bytes, asActive(document, text.authority)));
    for (const key of text.keys) this.keys.set(key.id, key);
    return true;
  }

  /** The keys of these ids, or null if no listing here shows them all. */
  pair(ids) {
    const keys = ids.map((id) => this.keys.get(id));
    return keys.includes(undefined) ? null : keys;
  }

  entry(id) {
    return authorityOf(this.newest, id) ?? refuse("not-permitted", `${id} is not listed`);
  }

  #isClosure({ name, bytes, text, signers }) {
    const pair = this.pair(signers);
    const listed = this.chain.some(({ document }) => {
      const entry = authorityOf(document, text.authority);
      return entry !== undefined && signIdsAt(entry, text.created)?.join() === signers.join();
    });
    if (listed && pair === null) {
      this.open.say(name, "no listing in the file shows the keys that signed it");
      return false;
    }
    underOne(this.chain, (document) => verifyClosure(bytes, document, (ids) =>
      this.pair(ids) ?? refuse("not-authentic", "not the sign keys of its time")));
    return true;
  }

  #isRevocation({ name, bytes, text, signers }) {
    const own = this.chain.some(({ document }) =>
      authorityOf(document, text.authority)?.sign.some(({ key_ids: ids }) =>
        ids.join() === signers.join()));
    if (!own) {
      verifyStewardsRevocation(bytes, this.newest);
      return true;
    }
    const pair = this.pair(signers);
    if (pair === null) {
      this.open.say(name, "no listing in the file shows the keys that signed it");
      return false;
    }
    verifyOwnRevocation(bytes, this.newest, pair);
    return true;
  }

  revocationsOf(id) {
    return this.revocations.filter((one) => one.key_id === id);
  }

  /** The ids of a log's keys, by the newest document or by the closures before it. */
  logIds(authority, number) {
    const closures = this.closures.map(({ text }) => text);
    return logTerms(this.entry(authority), closures).get(number) ?? null;
  }

  /** The keys of a log, or null and a reason why they cannot be known. */
  logKeys(origin, where) {
    const { network, authority, number } = partsOf(origin);
    if (network !== this.newest.network) refuse("not-for-us", "a log of another network");
    const ids = this.logIds(authority, number);
    const keys = ids === null ? null : this.pair(ids);
    if (ids === null) this.open.say(where, `nobody lists the log ${origin}`);
    else if (keys === null) this.open.say(where, `no listing in the file shows the keys of ${origin}`);
    else requirePair(keys, "log");
    return keys;
  }

  /** Whether an entry lies below the size up to which an authority answers for its own log. */
  isBelow({ authority, at, log_size: size }, { log, index }) {
    if (size === null || log.authority !== authority) return false;
    const opened = this.closures.filter(({ text }) =>
      text.authority === authority && text.created <= at).map(({ text }) => text.next);
    const last = Math.max(this.entry(authority).logs[0].n, ...opened);
    const { number } = log;
    return number < last || (number === last && index < size);
  }
}
