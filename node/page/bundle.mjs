// A whole bundle: what it proves, and what not. SPEC 15.

import { equal, hex, refuse } from "./bytes.mjs";
import { evidenceIn, verifyMessages, verifyReceipts } from "./conversation.mjs";
import { partsOf } from "./log.mjs";
import { about, readBundle } from "./parts.mjs";
import { documentFacts } from "./receipt_file.mjs";
import { inOrder, summaryOf } from "./summary.mjs";
import { Open, Trust, verifyDocuments } from "./trust.mjs";
import { verifyLogs, witnessing } from "./witnessed.mjs";

const STATEMENTS = ["documents", "listings", "revocations", "closures"];

/** Every text names the network of the file. */
function checkNetwork(bundle) {
  const { network } = bundle.about;
  for (const folder of STATEMENTS) {
    for (const { name, text } of bundle[folder]) {
      if (text.network !== network) about(name, () => refuse("not-for-us", "another network"));
    }
  }
  for (const { name, record } of [...bundle.receipts, ...bundle.records]) {
    if (record.network !== network) about(name, () => refuse("not-for-us", "another network"));
  }
  for (const { name, decision, origin } of bundle.receipts) {
    if (decision.to !== partsOf(origin).authority) {
      about(name, () => refuse("not-authentic", "a decision not made by the owner of the log"));
    }
  }
}

/** SPEC 15.4, Revoked keys. */
function checkRevoked(bundle, trust) {
  const { open } = trust;
  const stands = (witness, revocation) =>
    witness !== undefined && witness.quorum > 0 && witness.since !== null &&
    witness.since <= revocation.at;
  for (const part of [...bundle.receipts, ...bundle.records]) {
    for (const revocation of (part.log?.keys ?? []).flatMap(({ id }) => trust.revocationsOf(id))) {
      const ownWord = trust.isBelow(revocation, part);
      if (!stands(part.witness, revocation) && !ownWord) {
        open.say(part.name, "a key of its log was revoked, and nothing shows that it is older");
      }
    }
  }
  for (const { name, identity, message, signers } of bundle.messages) {
    for (const revocation of (signers ?? []).flatMap((id) => trust.revocationsOf(id))) {
      const receipt = bundle.receipts.find(({ decision }) => decision.identity === identity);
      const accepted = receipt?.decision.kind === "message.accepted";
      const sent = bundle.records.some(({ record, log, index }) =>
        record.kind === "message.sent" && record.identity === identity &&
        log?.authority === message.from && trust.isBelow(revocation, { log, index }));
      if (!(accepted && stands(receipt.witness, revocation)) && !sent) {
        open.say(name, "a key that signed it was revoked, and nothing shows that it is older");
      }
    }
  }
}

const logFacts = ({ origin, authority, heads, forked, quorum, entry, resting }) => ({
  origin, authority, forked, quorum, witnesses: entry.witnesses.length,
  heads: heads.map(({ size, root, words }) => ({ size, root: hex(root), words })),
  resting: resting.length,
});

const proofFacts = ({ name, record, log, index, witness }) => ({
  name, kind: record.kind, at: record.at, origin: log?.origin ?? null, index, witness,
  fields: record,
});

function messageFacts(bundle) {
  return inOrder(bundle).map(({ identity, message, decision, number }) => {
    const receipt = bundle.receipts.find((one) => one.decision.identity === identity);
    return {
      identity, message, decision: decision ?? null, number, witness: receipt?.witness,
      origin: receipt?.log?.origin ?? null, index: receipt?.index,
      evidence: evidenceIn({ message }, bundle.manifests),
    };
  });
}

/** Verify a bundle; refuses what is false, and reports what is open. */
export function verifyBundle(bytes, { trusted = null } = {}) {
  const bundle = readBundle(bytes);
  const open = new Open();
  checkNetwork(bundle);
  if (!equal(bundle.summary, summaryOf(bundle))) {
    about("summary.html", () => refuse("mismatch", "the summary is not that of the messages"));
  }
  const facts = { about: bundle.about, open: open.reasons, forks: [], logs: [], documents: [] };
  facts.proofs = bundle.about.proofs_only
    ? bundle.receipts.map((part) => ({ name: part.name, decision: part.decision })) : [];
  const chain = verifyDocuments(bundle.documents, open);
  if (chain === null) return { ...facts, messages: messageFacts(bundle), records: [] };
  facts.documents = chain.map(documentFacts);
  if (trusted !== null && !chain.some(({ digest }) => trusted.matches(digest))) {
    open.say("documents", "none of them is the network document that you trust");
  }
  const trust = new Trust(chain, bundle, open);
  const logs = verifyLogs(bundle, trust);
  for (const part of [...bundle.receipts, ...bundle.records]) {
    if (part.at?.size !== undefined) part.witness = witnessing(part.log, part.at);
  }
  const byIdentity = verifyMessages(bundle, trust);
  verifyReceipts(bundle, byIdentity, open);
  checkRevoked(bundle, trust);
  return {
    ...facts,
    documents: chain.map(documentFacts),
    forks: [...logs.values()].filter(({ forked }) => forked).map(({ origin }) => origin),
    logs: [...logs.values()].map(logFacts),
    closures: trust.closures.map(({ text }) => text),
    revocations: trust.revocations,
    messages: messageFacts(bundle),
    records: bundle.records.map(proofFacts),
    proofs: bundle.about.proofs_only ? bundle.receipts.map((part) =>
      ({ ...proofFacts(part), decision: part.decision })) : [],
    timestamps: bundle.timestamps.length,
  };
}
