// The messages of a bundle and their receipts: SPEC 15.4, Messages and Receipts.

import { refuse } from "./bytes.mjs";
import { authorityOf } from "./document.mjs";
import { signIdsAt } from "./history.mjs";
import { evidenceOf, verifyMessage } from "./message.mjs";
import { about } from "./parts.mjs";

const openerOf = (id) => id.split("/")[0];

/** Two authorities, one of them the opener, in all of these. */
function checkSides(caseId, items) {
  const names = new Set(items.flatMap(({ from, to }) => [from, to]));
  const wrong = items.find(({ from, to }) => from === to) !== undefined ||
    (items.length > 0 && (names.size !== 2 || !names.has(openerOf(caseId))));
  if (wrong) refuse("mismatch", "not the two authorities of one case");
}

/** The messages of a bundle, verified. */
export function verifyMessages(bundle, trust) {
  const { messages, about: file } = bundle;
  for (const { name, message } of messages) {
    about(name, () => {
      if (message.network !== file.network) refuse("not-for-us", "a message of another network");
      if (message.case !== file.case) refuse("mismatch", "a message of another case");
    });
  }
  if (messages.length > 0) checkSides(file.case, messages.map(({ message }) => message));
  for (const part of messages) about(part.name, () => verifyAuthor(part, trust));
  const byIdentity = new Map(messages.map((part) => [part.identity, part]));
  for (const sender of new Set(messages.map(({ message }) => message.from))) {
    const own = messages.filter(({ message }) => message.from === sender);
    checkChain(own, byIdentity, trust.open);
  }
  for (const part of messages) about(part.name, () => checkSeen(part, byIdentity, trust.open));
  checkManifests(bundle);
  return byIdentity;
}

/** (2) The document of its epoch, and both signatures. */
function verifyAuthor(part, trust) {
  const { message, statement, name } = part;
  const { chain, open } = trust;
  const judge = chain.find(({ document }) => document.version === message.epoch);
  if (judge === undefined) {
    open.say(name, `the network document of version ${message.epoch} is not in the file`);
    return;
  }
  const entry = authorityOf(judge.document, message.from);
  const ids = entry === undefined ? undefined : signIdsAt(entry, message.created);
  if (ids === undefined) refuse("not-authentic", "the sender has no sign keys for that time");
  const found = trust.pair(ids);
  if (found === null) {
    open.say(name, `no listing in the file shows the sign keys of ${message.from}`);
    return;
  }
  verifyMessage(statement, found);
  part.signers = ids;
}

/** (3) Each message follows the one before it of its sender. */
function checkChain(own, byIdentity, open) {
  const named = new Set();
  let before = { identity: null, message: { seq: 0 } };
  for (const part of own) {
    const { message, name } = part;
    if (message.seq === before.message.seq + 1) {
      if (message.prev !== before.identity) {
        about(name, () => refuse("mismatch", "it does not follow the message before it"));
      }
    } else {
      const left = message.skips.filter((one) => !byIdentity.has(one) && !named.has(one));
      const gap = message.seq - before.message.seq - 1;
      if (left.length !== gap || left.at(-1) !== message.prev) {
        open.say(name, "messages of its sender before it are not in the file");
      }
    }
    for (const one of message.skips) named.add(one);
    before = part;
  }
}

/** (4) What it says it has seen is a message of the other side. */
function checkSeen({ message, name }, byIdentity, open) {
  if (message.seen === null) return;
  const seen = byIdentity.get(message.seen);
  if (seen === undefined) open.say(name, "the message that it has seen is not in the file");
  else if (seen.message.from === message.from) refuse("mismatch", "it has seen its own message");
}

/** (5) Every manifest beside the messages is one that a message signs for. */
function checkManifests({ messages, manifests }) {
  const wanted = new Set(messages.map(({ message }) => message.body.evidence?.sha256));
  for (const { name, sha256 } of manifests) {
    if (!wanted.has(sha256)) {
      about(name, () => refuse("mismatch", "a manifest that no message signs for"));
    }
  }
}

// --- receipts --------------------------------------------------------------------------------

const isAccepted = (decision) => decision?.kind === "message.accepted";

export function verifyReceipts(bundle, byIdentity, open) {
  const { receipts, about: file } = bundle;
  if (file.case === null) return;
  if (file.proofs_only) {
    checkSides(file.case, receipts.map(({ decision }) => decision));
  }
  const orders = [];
  for (const { name, decision } of receipts) {
    about(name, () => {
      if (!file.proofs_only) checkAbout(decision, byIdentity);
      const requesting = decision.from === openerOf(file.case);
      if (isAccepted(decision) && requesting !== (decision.order !== null)) {
        refuse("mismatch", "only the requesting side's messages get a number in their receipt");
      }
    });
    if (isAccepted(decision) && decision.order !== null) orders.push(decision.order);
  }
  for (const { message } of byIdentity.values()) {
    if (message.order !== null) orders.push(message.order);
  }
  if (new Set(orders).size !== orders.length) {
    about("receipts", () => refuse("mismatch", "one number of the case was given twice"));
  }
  if (!file.proofs_only) checkComplete(bundle, byIdentity, orders, open);
}

function checkAbout({ identity, from, to }, byIdentity) {
  const message = byIdentity.get(identity)?.message;
  if (message === undefined || message.from !== from || message.to !== to) {
    refuse("mismatch", "a receipt of no message in the file");
  }
}

/** The messages that must have been accepted, by what was said after them. */
function mustBeAccepted(messages, decisions) {
  const found = [];
  const seen = new Set(messages.map(({ message }) => message.seen));
  for (const sender of new Set(messages.map(({ message }) => message.from))) {
    const own = messages.filter(({ message }) => message.from === sender);
    const skipped = new Set(own.flatMap(({ message }) => message.skips));
    let later = false;
    for (const part of own.toReversed()) {
      later ||= seen.has(part.identity);
      if (later && !skipped.has(part.identity)) found.push(part);
      later ||= isAccepted(decisions.get(part.identity));
    }
  }
  return found;
}

function checkComplete({ messages, receipts, about: file }, byIdentity, orders, open) {
  const decisions = new Map(receipts.map(({ decision }) => [decision.identity, decision]));
  const without = ({ identity }) => !decisions.has(identity);
  for (const { name } of mustBeAccepted(messages, decisions).filter(without)) {
    open.say(name, "it was accepted, and its receipt is not in the file");
  }
  const isOpeners = ({ message }) => message.from === openerOf(file.case);
  const skipped = new Set(messages.filter((part) => !isOpeners(part))
    .flatMap(({ message }) => message.skips.filter((one) => !byIdentity.has(one))));
  const spare = messages.filter((part) => isOpeners(part) && without(part)).length + skipped.size;
  const missing = orders.length === 0 ? 0 : Math.max(...orders) - orders.length;
  if (missing > spare) open.say("messages", "numbers of the case belong to nothing in the file");
}

/** What people are told about the evidence of a message. */
export function evidenceIn({ message }, manifests) {
  const items = evidenceOf(message);
  if (items === null) {
    const kept = manifests.find(({ sha256 }) => sha256 === message.body.evidence?.sha256);
    return { sound: false, items: kept?.manifest?.items ?? [] };
  }
  return { sound: true, items };
}
