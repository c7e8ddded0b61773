// The logs of a bundle: their proofs, heads and witnesses (SPEC 15.4, Proofs and Heads).

import { equal, fromBigEndian, refuse } from "./bytes.mjs";
import { authorityOf, quorumOf } from "./document.mjs";
import { verifyContinuation, verifyFork, wasCut } from "./history.mjs";
import {
  decodeProof, entryOf, leafOf, partsOf, verifyCheckpoint, verifyCosignature, verifyInclusion,
} from "./log.mjs";
import { about } from "./parts.mjs";
import { requirePair } from "./trust.mjs";

/** One log: everything in the bundle that rests on it, and what its witnesses have said. */
class Log {
  constructor(origin, trust) {
    this.origin = origin;
    this.trust = trust;
    Object.assign(this, partsOf(origin));
    this.entry = trust.entry(this.authority);
    this.forked = false;
    this.keys = undefined;
    this.resting = [];
    this.heads = [];
  }

  keysFor(where) {
    if (this.keys === undefined) this.keys = this.trust.logKeys(this.origin, where);
    return this.keys;
  }

  get quorum() {
    return quorumOf(this.trust.newest, this.entry);
  }
}

/** The words below the log's own lines, each of a witness that the newest document names. */
function wordsOn(log, signed, where) {
  const { trust } = log;
  const words = [];
  const lines = signed.lines.slice(2);
  const names = new Set(lines.map(({ name }) => name));
  for (const name of names) {
    const id = log.entry.witnesses.find((one) => name === `${log.network}/${one}/witness`);
    if (id === undefined) refuse("not-authentic", "a line of nobody who is a witness of this log");
    const own = lines.filter((line) => line.name === name);
    const time = own[0].raw.length < 8 ? 0 : Number(fromBigEndian(own[0].raw.slice(0, 8)));
    const term = authorityOf(trust.newest, id).witness.findLast(({ from, until }) =>
      from <= time && (until === null || time < until));
    if (term === undefined) refuse("not-authentic", "a witness without keys for that time");
    const keys = trust.pair(term.key_ids);
    if (keys === null) {
      trust.open.say(where, `no listing in the file shows the keys of the witness ${id}`);
      continue;
    }
    requirePair(keys, "witness");
    if (own.length !== 2) refuse("not-authentic", "not the witness's two lines");
    verifyCosignature(signed, name, keys);
    const revoked = term.key_ids.some((one) => trust.revocationsOf(one).length > 0);
    if (!revoked) words.push({ id, time });
  }
  return words;
}

/** All logs of a bundle, by their origins, with every proof in it verified. */
export function verifyLogs(bundle, trust) {
  const logs = new Map();
  const logOf = (origin) => {
    if (!logs.has(origin)) logs.set(origin, new Log(origin, trust));
    return logs.get(origin);
  };
  const each = (parts, verify) => {
    for (const part of parts) {
      about(part.name, () => {
        const log = logOf(part.origin);
        const keys = log.keysFor(part.name);
        if (keys !== null) verify(part, log, keys);
      });
    }
  };
  each(bundle.forks, (part, log, keys) => {
    verifyFork(part.bytes, part.origin, keys);
    log.forked = true;
  });
  each(bundle.receipts, (part, log, keys) => addProof(part, log, keys, false));
  each(bundle.records, (part, log, keys) => addProof(part, log, keys, true));
  each(bundle.timestamps, ({ name, note }, log, keys) =>
    rest(log, name, verifyCheckpoint(note, log.origin, keys), []));
  each(bundle.heads, addHead);
  for (const log of logs.values()) checkHistory(log);
  for (const { text } of trust.closures) checkEnd(text, logs.get(text.origin));
  return logs;
}

function rest(log, name, signed, words) {
  const one = { name, size: signed.size, root: signed.root, words, isHead: false };
  log.resting.push(one);
  return one;
}

function addProof(part, log, keys, isRecord) {
  const signed = verifyCheckpoint(part.note, log.origin, keys);
  const { path, index } = decodeProof(part.proof);
  const leaf = leafOf(entryOf(part.raw, part.salt));
  verifyInclusion({ leaf, index, path, size: signed.size, root: signed.root });
  part.log = log;
  part.at = rest(log, part.name, signed, isRecord ? wordsOn(log, signed, part.name) : []);
}

function addHead({ name, bytes }, log, keys) {
  const { signed, links } = verifyContinuation(bytes, log.origin, keys);
  const head = rest(log, name, signed, wordsOn(log, signed, name));
  Object.assign(head, { isHead: true, links });
  log.heads.push(head);
}

/** SPEC 15.4, Heads 1 to 3: one history, and everything in it connected. */
function checkHistory(log) {
  const linked = new Map();
  for (const head of log.heads) {
    for (const { size, root } of head.links) {
      if (!log.resting.some((one) => one.size === size && (!one.isHead || size < head.size))) {
        about(head.name, () => refuse("malformed", "a link to nothing that is in the file"));
      }
      linked.set(size, { root, under: Math.max(head.size, linked.get(size)?.under ?? 0) });
      requireOneRoot(log, size, root);
    }
  }
  for (const one of log.resting) about(one.name, () => requireOneRoot(log, one.size, one.root));
  if (log.heads.length > 0) connect(log, linked);
}

function requireOneRoot(log, size, root) {
  if (log.resting.some((one) => one.size === size && !equal(one.root, root))) {
    refuse("not-authentic", `the log ${log.origin} has two histories: two roots at size ${size}`);
  }
}

function connect(log, linked) {
  const sizes = log.heads.map(({ size }) => size);
  const largest = Math.max(...sizes);
  const apart = log.heads.find(({ size }) => size < largest &&
    (linked.get(size)?.under ?? 0) <= size);
  if (apart !== undefined) {
    log.trust.open.say(apart.name, `nothing shows that the heads of ${log.origin} belong together`);
    return;
  }
  for (const one of log.resting) {
    one.connected = linked.has(one.size) || sizes.includes(one.size);
    if (!one.connected) {
      log.trust.open.say(one.name, "nothing shows that the log was only continued since then");
    }
  }
}

/** A checkpoint that the closed log has signed beyond its end shows that it was cut. */
function checkEnd(closure, log) {
  const beyond = log?.resting.find((one) => wasCut(closure, one));
  if (beyond !== undefined) {
    about(beyond.name, () => refuse("not-authentic",
      `the log ${closure.origin} was closed at ${closure.size}, and had signed more: it was cut`));
  }
}

/** Who has witnessed a checkpoint: j of k, since when k have, and by whom. */
export function witnessing(log, at) {
  const quorum = log.quorum;
  if (log.forked) return { quorum, count: 0, since: null, ids: [], forked: true };
  const over = at.connected ? log.heads.filter(({ size }) => size >= at.size) : [];
  const found = [at, ...over].map(({ words }) => words);
  const best = found.reduce((most, words) => (words.length > most.length ? words : most), []);
  const times = found.filter((words) => quorum > 0 && words.length >= quorum)
    .map((words) => words.map(({ time }) => time).sort((a, b) => a - b)[quorum - 1]);
  const since = times.length > 0 ? Math.min(...times) : null;
  return { quorum, count: best.length, since, ids: best.map(({ id }) => id), forked: false };
}
