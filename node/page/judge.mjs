// What a file is, and what it comes to: verified, false, or not to be decided.
//
// Files that are judged together help each other: the documents and listings among them say
// whose keys count for a receipt, proof or statement that lies beside them.

import { Refusal, hex, refuse, utf8 } from "./bytes.mjs";
import { verifyBundle } from "./bundle.mjs";
import { digest, digitsOf } from "./crypto.mjs";
import { authorityOf, verifyFirst } from "./document.mjs";
import {
  decodeClosure, decodeContinuation, decodeFork, readClosure, signIdsAt, verifyContinuation,
  verifyFork,
} from "./history.mjs";
import { decodeListing, decodeRevocation, pairOf, readListing, readRevocation }
  from "./listing.mjs";
import {
  decodeProof, entryOf, leafOf, partsOf, readCheckpoint, verifyInclusion, verifyProof,
} from "./log.mjs";
import { decodeInner, decodeMessage, verifyMessage } from "./message.mjs";
import { readProofFile } from "./parts.mjs";
import { readClaim, verifyReceipt } from "./receipt.mjs";
import { documentFacts, verifyReceiptFile } from "./receipt_file.mjs";
import { verifyExactly } from "./statement.mjs";
import { timeText } from "./summary.mjs";
import { Trust } from "./trust.mjs";
import { READERS, run } from "./vectors.mjs";

const told = ({ kind, to, from, identity, order, code, at }) => {
  const done = kind === "message.accepted"
    ? `accepted${order === null ? "" : ` as number ${order} of its case`}`
    : `finally refused (${code})`;
  return `${to} ${done} the message ${identity} from ${from} at ${timeText(at)}.`;
};

const toldEnd = ({ network, authority, origin, size, created, reason, next }) =>
  `The log ${origin} was closed with ${size} entries at ${timeText(created)}, because ` +
  `${reason === "lost-state" ? "its state was lost" : "it got new keys"}; ` +
  `${network}/${authority}/${next} goes on for it.`;

const NEITHER = "That anybody has read it: it was accepted into the log, and the authority is " +
  "bound to that.";
const NO_KEYS = "Nothing is proved: the keys are not in this file, and in none beside it.";

const decided = (said, lacking, facts = {}) => ({ conclusion: "true", said, lacking, ...facts });
const open = (said, lacking, facts = {}) => ({ conclusion: "undecided", said, lacking, ...facts });

/** The fingerprint that a reader trusts: sixty digits, or 64 hex digits. */
export function readFingerprint(text) {
  const bare = text.replace(/\s/g, "").toLowerCase();
  if (bare === "") return null;
  const digits = /^[0-9a-f]{64}$/.test(bare) ? digitsOf(bare).replaceAll(" ", "") : bare;
  if (!/^[0-9]{60}$/.test(digits)) return undefined;
  return { matches: (name) => digitsOf(name).replaceAll(" ", "") === digits };
}

const OTHER = "It rests on another network document than the one you trust.";

/** Turn a proved thing into an open one if it rests on no trusted document. */
function under(documents, { trusted }, result) {
  const full = { ...result, documents };
  if (trusted === null || documents.some((one) => trusted.matches(one.digest))) return full;
  return { ...full, conclusion: "undecided", lacking: [OTHER, ...result.lacking] };
}

// --- one function for each kind ------------------------------------------------------------------

const place = (origin, index, { size, time }) =>
  `It stands as entry ${index} in the log ${origin}, which had ${size} entries when its owner ` +
  `signed it at ${timeText(time)}.`;

function judgeBundle(bytes, context) {
  const facts = verifyBundle(bytes, context);
  const conclusion = facts.open.length > 0 ? "undecided" : "true";
  const said = (facts.closures ?? []).map(toldEnd);
  return { conclusion, said, lacking: [], documents: facts.documents, bundle: facts };
}

function judgeReceiptFile(bytes, context) {
  const { decision, index, signed, origin, ends, documents } = verifyReceiptFile(bytes);
  const said = [told(decision), place(origin, index, signed), ...ends.map(toldEnd)];
  return under(documents, context, decided(said, [
    NEITHER, "That the log shows everybody the same: no witness's word was counted here.",
    "That no key of it was revoked: revocations are not in the file.",
  ]));
}

function judgeDocument(bytes, context) {
  const facts = documentFacts(verifyFirst(bytes));
  return under([facts], context, decided([
    `${facts.offices} of its ${facts.stewards.length} stewards signed it, ${facts.threshold} must.`,
    `It is version ${facts.version} of the network ${facts.network}, with ${facts.authorities} ` +
      `authorities, and expires at ${timeText(facts.expires)}.`,
  ], ["That no newer version exists."]));
}

/** What keys the documents and listings among the files give, or null. */
function logKeys(context, origin) {
  const { trust } = context;
  if (trust === null || authorityOf(trust.newest, origin.split("/")[1]) === undefined) return null;
  if (origin.split("/")[0] !== trust.newest.network) return null;
  return trust.logKeys(origin, "");
}

const restsOn = (context, result) => under(context.documents, context, result);

function judgeReceipt(bytes, context) {
  const { decision, origin, index, size } = readClaim(bytes);
  const keys = logKeys(context, origin);
  if (keys === null) {
    return open([`It says: ${told(decision)}`,
      `Its parts fit: it names entry ${index} of the log ${origin} at size ${size}.`],
    [NO_KEYS, "A receipt file holds them: who holds the receipt in a node can make one."]);
  }
  const { network, to } = decision;
  const { signed } = verifyReceipt(bytes, { network, issuer: to, origin, keys });
  return restsOn(context, decided([told(decision), place(origin, index, signed)], [NEITHER]));
}

function judgeRecord(bytes, context) {
  const { record, raw, salt, proof, index, ...claimed } = readProofFile(bytes);
  if (["message.accepted", "message.refused"].includes(record.kind)) return judgeReceipt(bytes, context);
  const { origin, size, root } = claimed;
  if (record.network !== partsOf(origin).network) refuse("not-for-us", "a record of another network");
  const { path } = decodeProof(proof);
  verifyInclusion({ leaf: leafOf(entryOf(raw, salt)), index, path, size, root });
  const text = utf8(raw);
  const keys = logKeys(context, origin);
  if (keys === null) return open([`It says that the log ${origin} holds this record: ${text}`], [NO_KEYS]);
  const { signed } = verifyProof(proof, { record: raw, salt, origin, keys });
  return restsOn(context, decided([`The log holds this record: ${text}`, place(origin, index, signed)],
    ["That what the record says is true: its authority has said so, and cannot take it back."]));
}

function judgeProof(bytes) {
  const { index, path, checkpoint } = decodeProof(bytes);
  const { origin, size } = readCheckpoint(checkpoint);
  if (index >= size) refuse("not-authentic", "an index outside the tree");
  const [at, last] = [BigInt(index), BigInt(size) - 1n];
  const split = at === last ? 0 : (at ^ last).toString(2).length;
  const ones = [...(at >> BigInt(split)).toString(2)].filter((bit) => bit === "1").length;
  if (path.length !== split + ones) refuse("not-authentic", "an inclusion path of a wrong length");
  return open([`It is about entry ${index} of the log ${origin} at ${size}.`],
    ["Nothing is proved: the record is not in the file."]);
}

function judgeListing(bytes, context) {
  const statement = readListing(bytes);
  const listing = decodeListing(statement.text);
  const keys = pairOf(listing, statement.signatures.map(([id]) => id));
  if (keys?.map(({ purpose, algorithm }) => `${purpose} ${algorithm}`).join() !==
    "sign ed25519,sign ml-dsa-65") {
    refuse("not-authentic", "not signed by a pair of sign keys that it shows");
  }
  verifyExactly(statement, keys);
  const said = [`It calls itself listing ${listing.serial} of ${listing.authority} in ` +
    `${listing.network}, and expires at ${timeText(listing.expires)}.`];
  if (context.trust?.holds(statement.identity)) {
    return restsOn(context, decided([...said, "Its keys are those that the network document lists."], []));
  }
  return open([...said, "It is signed by sign keys that it shows itself."], [
    "Nothing is proved: whether these are the authority's keys, its network document says."]);
}

/** A statement that the trust was built from, if the documents among the files bear it out. */
const judgeStatement = (read, decode, tell) => (bytes, context) => {
  const statement = read(bytes);
  const said = tell(decode(statement.text));
  if (context.trust?.holds(statement.identity)) return restsOn(context, decided([said], []));
  return open([`It says: ${said}`], [NO_KEYS]);
};

const judgeRevocation = judgeStatement(readRevocation, decodeRevocation, (one) =>
  `The ${one.purpose} key ${one.key_id} of ${one.authority} is revoked since ${timeText(one.at)}.`);

const judgeClosure = judgeStatement(readClosure, decodeClosure, (one) =>
  `${one.authority} closed its log ${one.origin} at ${one.size} entries (${one.reason}); the next is ` +
  `number ${one.next}.`);

function judgeMessage(bytes, context) {
  const statement = decodeInner(bytes);
  const message = decodeMessage(statement.text);
  const said = [`${message.from} wrote this to ${message.to} at ${timeText(message.created)}, in the ` +
    `case ${message.case}, as its message ${message.seq}: ${statement.identity}.`];
  const facts = { message };
  const judge = context.chain.find(({ document }) => document.version === message.epoch &&
    document.network === message.network)?.document;
  const entry = judge === undefined ? undefined : authorityOf(judge, message.from);
  const ids = entry === undefined ? undefined : signIdsAt(entry, message.created);
  const pair = ids === undefined ? null : context.trust.pair(ids);
  if (pair === null) return open([`It says: ${said[0]}`], [NO_KEYS], facts);
  verifyMessage(statement, pair);
  return restsOn(context, decided(said, ["That it arrived: that a receipt proves."], facts));
}

function judgeContinuation(bytes, context) {
  const { checkpoint, links } = decodeContinuation(bytes);
  const { origin, size } = readCheckpoint(checkpoint);
  const keys = logKeys(context, origin);
  const sizes = links.map((link) => link.size).join(", ") || "nothing";
  if (keys === null) return open([`It says that ${origin} at ${size} continues ${sizes}.`], [NO_KEYS]);
  const { signed } = verifyContinuation(bytes, origin, keys);
  return restsOn(context, decided([
    `The log ${origin}, signed at ${timeText(signed.time)} with ${size} entries, continues what it ` +
    `was at ${sizes}.`], []));
}

function judgeFork(bytes, context) {
  const { origin } = decodeFork(bytes);
  const keys = logKeys(context, origin);
  if (keys === null) {
    return open([`It says that the log ${origin} has signed two histories.`], [NO_KEYS]);
  }
  const { first, second } = verifyFork(bytes, origin, keys);
  return restsOn(context, decided(
    [`The log ${origin} has signed two histories: at ${first.size} and at ${second.size} entries.`],
    ["Who did it, or which history is the true one."]));
}

function judgeVector(bytes, { texts }) {
  const text = utf8(bytes);
  const { headers, outcome, found } = run(text, (name) => texts.get(name) ?? refuse("key-unknown", name));
  const wrong = Object.entries(found).filter(([name, value]) =>
    Object.hasOwn(headers, name) && headers[name] !== value);
  const agrees = outcome === headers.expect && wrong.length === 0;
  return { conclusion: agrees ? "true" : "false", lacking: [], outcome,
    said: [`A test vector: expected ${headers.expect}, found ${outcome}.`] };
}

// --- what a file is ------------------------------------------------------------------------------

const word = (name) => `"application/vnd.comity.${name}.v1+json"`;

/** Marks that stand in files of ours also after somebody has reformatted or damaged them. */
const KINDS = [
  ["receipt file", judgeReceiptFile, ["comity-receipt"]],
  ["receipt file", judgeReceiptFile, ['"documents"', '"listings"', '"receipt"']],
  ["fork proof", judgeFork, ['"comity-fork"']],
  ["fork proof", judgeFork, ['"first"', '"second"', '"origin"']],
  ["network document", judgeDocument, [word("network")]],
  ["listing", judgeListing, [word("listing")]],
  ["revocation", judgeRevocation, [word("revocation")]],
  ["closing of a log", judgeClosure, [word("log-closed")]],
  ["message", judgeMessage, [word("message")]],
  ["continuation", judgeContinuation, ['"checkpoint"', '"links"']],
  ["receipt", judgeRecord, ['"proof"', '"record"', '"salt"']],
];

const latin = (bytes) => new TextDecoder("latin1").decode(bytes);

function recognise(bytes) {
  const first = latin(bytes.subarray(0, 8192));
  if (first.startsWith("c2sp.org/tlog-proof@")) return ["log proof", judgeProof];
  const type = /^type: ([a-z0-9-]+)\nexpect: /.exec(first)?.[1];
  if (type !== undefined && Object.hasOwn(READERS, type)) return ["test vector", judgeVector];
  const last = latin(bytes.subarray(-4096));
  if (!first.trimStart().startsWith("{") && !last.trimEnd().endsWith("}")) {
    // Also a bundle whose first bytes are damaged; a text about files of ours is none.
    const inBundle = first.startsWith("PK") || first.includes('"comity-bundle"');
    return inBundle && `${first}${last}`.includes("comity.json") ? ["bundle", judgeBundle] : null;
  }
  if (bytes.length > 2 ** 26) return null;
  const text = latin(bytes);
  return KINDS.find(([, , marks]) => marks.every((mark) => text.includes(mark))) ?? null;
}

// --- several files -------------------------------------------------------------------------------

const tryTo = (run_) => {
  try {
    return run_();
  } catch (fault) {
    if (!(fault instanceof Refusal)) throw fault;
    return null;
  }
};

/** Everything among the files that says whose keys count. */
function contextOf(files, trusted) {
  const texts = new Map();
  const kinds = { listing: [], revocation: [], "closing of a log": [] };
  const documents = [];
  for (const { name, bytes, kind } of files) {
    if (kind === "test vector") {
      const text = tryTo(() => utf8(bytes)) ?? "";
      texts.set(`${/^type: ([a-z0-9-]+)/.exec(text)?.[1]}/${name.replace(/\.txt$/, "")}`, text);
    }
    if (kind === "network document") documents.push(tryTo(() => verifyFirst(bytes)));
    kinds[kind]?.push({ name, bytes });
  }
  const chain = documents.filter((one) => one !== null)
    .sort((one, other) => one.document.version - other.document.version);
  const facts = chain.map(documentFacts);
  if (chain.length === 0) return { trusted, texts, chain, documents: facts, trust: null };
  const trust = Trust.ofLoose(chain, {
    listings: kinds.listing, revocations: kinds.revocation, closures: kinds["closing of a log"],
  });
  return { trusted, texts, chain, documents: facts, trust };
}

const NOTHING = "Nothing that it says is proved: it was altered, damaged or made up.";

function judgeOne({ bytes, kind, judge }, context) {
  try {
    return judge(bytes, context);
  } catch (fault) {
    if (!(fault instanceof Refusal)) {
      return open([], [`This page has a fault of its own: ${fault.message}.`], { broken: true });
    }
    if (fault.code === "key-unknown") {
      return open([], [`It cannot be decided from this file alone: ${fault.message}.`]);
    }
    const where = fault.where === undefined ? "" : ` (${fault.where})`;
    return { conclusion: "false", code: fault.code, fault: fault.message, where: fault.where,
      said: [`This ${kind} does not hold${where}: ${fault.message}.`], lacking: [NOTHING] };
  }
}

/** Judge files together: for each its kind, its conclusion, and what is proved and what not. */
export function judgeFiles(files, { trusted = null } = {}) {
  const known = files.map((file) => {
    const [kind, judge] = (file.bytes === null ? null : recognise(file.bytes)) ?? [null, null];
    return { ...file, kind, judge };
  });
  const context = contextOf(known, trusted);
  const results = known.map((file) => ({
    name: file.name, kind: file.kind, hasTrusted: trusted !== null,
    sha256: file.sha256 ?? hex(digest(file.bytes)),
    ...(file.judge === null ? { conclusion: "other", said: [], lacking: [] } : judgeOne(file, context)),
  }));
  return compareEvidence(results);
}

/** Say of every other file whether its digest is one that a message beside it offers. */
function compareEvidence(results) {
  const offered = new Map();
  for (const { name, bundle, conclusion } of results) {
    for (const { message, evidence } of bundle?.messages ?? []) {
      for (const item of evidence.items) {
        offered.set(item.sha256, { bundle: name, conclusion, from: message.from, path: item.path });
      }
    }
  }
  return results.map((one) => ({ ...one, evidence: offered.get(one.sha256) ?? null }));
}
