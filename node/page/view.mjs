// What people see of a conclusion.

import { element, hash, list, pairs, table, theirs, valueOf } from "./elements.mjs";
import { timeText } from "./summary.mjs";

const VERDICTS = {
  true: ["✓ VERIFIED", "Everything in this file holds, by the network document named below."],
  false: ["✗ FALSE", "Something in this file does not hold. Rely on nothing in it."],
  undecided: ["? CANNOT BE DECIDED", "What would decide it is not here. That accuses nobody."],
  other: ["Not a file of Comity", ""],
};

const NOT_PROVED = [
  "That what is written is true, or that evidence was obtained lawfully: a hash only proves that " +
    "nothing was changed since it was made.",
  "That nothing else exists: the file holds what its maker has put there.",
  "Who made the file, and when: nobody has signed that.",
];

/** Kinds that hold what somebody has said. */
const WRITTEN = ["message", "receipt", "receipt file"];

const counted = (count, one, many) => `${count} ${count === 1 ? one : many}`;

const section = (title, ...children) => {
  const shown = children.flat().filter((child) => child !== null);
  return shown.length === 0 ? [] : [element("h3", null, title), ...shown];
};

// --- the network documents -----------------------------------------------------------------------

const documentView = ({ version, digits, created, offices, threshold, stewards }) => [
  element("p", null, `Version ${version}, of ${timeText(created)}, signed by ${offices} of its `,
    `${stewards.length} stewards (${threshold} must). Its stewards are: `, theirs(stewards.join(", ")), "."),
  element("p", { class: "digits", dir: "ltr" }, digits),
];

const COMPARE = "All of this rests on these digits, and nothing proves that they are the network's own. " +
  "Compare them with those that you trust, or have an officer of another authority read them to you.";

const documentsView = (documents, hasTrusted) => section(
  documents.length === 1 ? "Network document" : "Network documents",
  documents.length === 0 ? null : element("p", null,
    hasTrusted ? "Compared with the fingerprint that you have typed above." : COMPARE),
  documents.flatMap(documentView),
);

// --- a bundle ------------------------------------------------------------------------------------

/** How far a receipt is witnessed, in words. */
export function witnessText(witness) {
  if (witness === undefined) return "cannot be decided";
  if (witness.forked) return "not witnessed: this log has two histories";
  const { quorum, count, since } = witness;
  if (quorum === 0) return "this log has no witnesses";
  const reached = since === null ? ", not enough" : `, since ${timeText(since)}`;
  return `witnessed by ${count} of ${quorum}${reached}`;
}

/** The same for scripts: what it is about, how many of how many, since when. */
const standing = (subject, witness) => (witness === undefined ? {} : {
  "data-about": subject,
  "data-witnessed": `${witness.count} of ${witness.quorum} since ${witness.since ?? "never"}`,
});

function receiptText({ decision }) {
  if (decision === null) return "no receipt in this file";
  const at = timeText(decision.at);
  return decision.kind === "message.accepted"
    ? `accepted by ${decision.to} at ${at}` : `refused by ${decision.to} at ${at}: ${decision.code}`;
}

const messageRow = (one) => [
  one.number ?? "none", `${one.message.from} to ${one.message.to}`, theirs(one.message.kind),
  timeText(one.message.created), receiptText(one),
  one.decision === null ? "not witnessed" : witnessText(one.witness),
];

const itemRow = ({ path, type, size, sha256 }) =>
  [theirs(path), theirs(type), size.toLocaleString("en"), hash(sha256)];

function evidenceView({ sound, items }) {
  if (!sound) {
    return element("p", { class: "fault" },
      "The manifest of this message contradicts itself; its hashes are nobody's word.");
  }
  return items.length === 0 ? null
    : table("Evidence that it offers", ["File", "Type", "Bytes", "SHA-256"], items.map(itemRow));
}

const messageArticle = (one) => element("article", standing(one.identity, one.witness),
  element("h4", null, `${one.number ?? "-"}. `, theirs(one.message.kind), `, from ${one.message.from}`),
  pairs([
    ["Identity", hash(one.identity)],
    ["Receipt", receiptText(one)],
    ...(one.origin === null ? []
      : [["In the log", `${one.origin}, entry ${one.index}: ${witnessText(one.witness)}`]]),
    ["Text", valueOf(one.message.body)],
  ]),
  evidenceView(one.evidence));

const logRow = ({ origin, forked, quorum, witnesses, heads, resting }) => [
  origin,
  forked ? "TWO HISTORIES: see above" : quorum === 0 ? "none are named"
    : `${quorum} of ${witnesses} must agree`,
  heads.map(({ size, words }) =>
    `${size} entries, cosigned by ${words.map(({ id }) => id).join(", ") || "nobody"}`).join("; ")
    || "none in this file",
  resting,
];

function proved(bundle) {
  const { about, messages, records } = bundle;
  const receipts = messages.filter(({ decision }) => decision !== null).length + bundle.proofs.length;
  const said = [];
  if (messages.length > 0) {
    const are = messages.length === 1 ? "was" : "were";
    said.push(`${counted(messages.length, "message", "messages")} of the case ${about.case} ${are} ` +
      "signed by the authorities named as senders, and not changed since.");
  }
  if (receipts > 0) {
    said.push(`${counted(receipts, "receipt stands", "receipts stand")} in the logs of their issuers, ` +
      "who cannot take them back without contradicting what they have signed.");
  }
  if (records.length > 0) said.push(`${counted(records.length, "record stands in its log", "records stand in their logs")}.`);
  return said;
}

function lacking(bundle, hasTrusted) {
  const said = [...NOT_PROVED];
  const all = [...bundle.messages.filter(({ decision }) => decision !== null), ...bundle.records,
    ...bundle.proofs];
  if (!hasTrusted) said.unshift("That the network document is the network's own: compare its digits.");
  if (all.some(({ witness }) => witness === undefined || witness.since === null)) {
    said.unshift("That everybody is shown the same log, where fewer witnesses agree than the network " +
      "asks for.");
  }
  if (bundle.timestamps > 0) {
    said.push(`${bundle.timestamps} time stamps of others are in the file, and were not judged here.`);
  }
  return said;
}

/** Said before everything else (SPEC 15.4). */
const alarms = (forks) => forks.map((origin) => element("p", { class: "alarm" },
  `⚠ The log ${origin} has signed two histories. The proof is in this file. Its receipts bind it ` +
  "all the same; nothing in it is called witnessed."));

function bundleView({ bundle, conclusion, hasTrusted }) {
  const { about, logs, messages, records, proofs } = bundle;
  const facts = pairs([
    ["Network", about.network], ["Case", theirs(about.case ?? "none: records only")],
    ["Made by (not signed)", `${about.authority}, ${timeText(about.created)}`],
  ]);
  return [
    facts,
    ...section("What cannot be decided", list(bundle.open.map(({ where, reason }) => `${where}: ${reason}.`))),
    ...(conclusion === "true" ? section("What this proves", list(proved(bundle))) : []),
    ...section("What this does not prove", list(lacking(bundle, hasTrusted))),
    ...documentsView(bundle.documents, hasTrusted),
    ...section("Logs", logs.length === 0 ? null : table("Who else has seen them",
      ["Log", "Witnesses", "Newest in this file", "Proofs here"], logs.map(logRow))),
    ...section("Messages", messages.length === 0 ? null : table("In the order of the case",
      ["Number", "From, to", "Kind", "Written", "Receipt", "Witnessed"], messages.map(messageRow)),
    messages.map(messageArticle)),
    ...section("Receipts", proofs.length === 0 ? null : table("Without the messages",
      ["Number", "From", "Receipt", "Witnessed", "Message"], proofs.map((one) => [
        one.decision.order ?? "none", one.decision.from, receiptText(one), witnessText(one.witness),
        element("span", standing(one.decision.identity, one.witness), hash(one.decision.identity))]))),
    ...section("Records", records.map((one) => element("article",
      standing(`${one.origin} ${one.index}`, one.witness),
      element("h4", null, theirs(one.kind), `, ${timeText(one.at)}`),
      pairs([["In the log", `${one.origin}, entry ${one.index}: ${witnessText(one.witness)}`],
        ["Record", valueOf(one.fields)]])))),
  ];
}

// --- any file ------------------------------------------------------------------------------------

function otherView({ evidence, sha256 }) {
  if (evidence === null) {
    return [element("p", null, "No message in the bundles beside it offers a file with these bytes.")];
  }
  const { from, path, bundle, conclusion } = evidence;
  return [element("p", null, "It has the same bytes as ", theirs(path), `, which ${from} offered in a `,
    "message of ", theirs(bundle), conclusion === "true" ? ", a file that is verified."
      : ". That file itself is not verified: see there."),
  element("p", null, "SHA-256: ", hash(sha256))];
}

function verdictOf({ conclusion, evidence, kind }) {
  if (evidence !== null) return ["= SAME BYTES", "This file is the evidence that a message names."];
  if (kind === "test vector") return [VERDICTS[conclusion][0], "This page against a test vector."];
  return VERDICTS[conclusion];
}

/** Everything about one file. */
export function resultView(result) {
  const { name, kind, conclusion, said, lacking: left, bundle, documents, hasTrusted } = result;
  const [word, sentence] = verdictOf(result);
  const shown = conclusion === "true" && WRITTEN.includes(kind) ? [...left, NOT_PROVED[0]] : left;
  const made = element("section", {
    class: `file ${result.evidence === null ? conclusion : "same"}`, "data-name": name,
    "data-conclusion": conclusion, "data-code": result.code ?? "", "data-outcome": result.outcome ?? "",
  },
  element("h2", null, theirs(name)),
  alarms(bundle?.forks ?? []),
  element("p", { class: "verdict" }, word, element("small", null, sentence)),
  list(said),
  ...(bundle === undefined ? [
    ...section("What this does not prove", list(shown)),
    ...(result.message === undefined ? [] : section("Text", valueOf(result.message.body))),
    ...documentsView(documents ?? [], hasTrusted),
  ] : bundleView(result)),
  ...(conclusion === "other" ? otherView(result) : []),
  element("p", null, kind === null ? "" : `${kind[0].toUpperCase()}${kind.slice(1)}. `,
    "SHA-256 of this file: ", hash(result.sha256)));
  if (result.broken === true) made.dataset.broken = "true";
  return made;
}
