// A second reader of Comity's test vectors, written from protocol/SPEC.md alone.
//
//     node reader.mjs <folder of vectors>
//
// Prints one JSON line for each vector of the types it knows: {name, outcome, found}. It fails
// on a header that it does not know, and passes over folders of types that it does not read.
// Most types are read by the verifier page (node/page); what only nodes read is here.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join as path } from "node:path";

import { unhex } from "../../node/page/bytes.mjs";
import { keyId } from "../../node/page/crypto.mjs";
import { READERS as OF_THE_PAGE, SIGN, pairOf, run } from "../../node/page/vectors.mjs";
import { HEADERS as OF_BUNDLES, bundle } from "./bundle.mjs";
import { sealPrivate } from "./seal.mjs";
import { decodeBatch, openEnvelope, paddedLength } from "./wire.mjs";
import { decodeLines, decodePolicy, decodeRequest } from "./witness.mjs";

function envelope(headers, body) {
  const key = sealPrivate(unhex(headers["seal-x-wing"].split(" ")[1]));
  return openEnvelope(body, {
    network: headers.network, recipient: headers.recipient, broughtBy: headers["brought-by"],
    key, kid: keyId("seal", "x-wing", key.public_),
    suiteMin: headers["suite-min"] ?? "hpke-647a-0001-0002",
    pair: pairOf(headers, SIGN), now: Number(headers.now),
  });
}

function addCheckpoint(body) {
  const { origin, oldSize, size, path } = decodeRequest(body);
  return {
    origin, "old-size": String(oldSize), size: String(size), hashes: String(path.length),
  };
}

function cosignatures(body) {
  const lines = decodeLines(body);
  return { lines: String(lines.length), marks: lines.map(({ mark }) => mark).join(" ") };
}

const ENVELOPE = ["network", "recipient", "now", "seal-x-wing", ...SIGN, "brought-by",
  "suite-min", "identity", "digest", "text-sha256", "file-keys"];

const READERS = {
  ...OF_THE_PAGE,
  padding: [["length", "value"], ({ length }) => ({ value: String(paddedLength(Number(length))) })],
  envelope: [ENVELOPE, envelope],
  "add-checkpoint": [["origin", "old-size", "size", "hashes"], (_, body) => addCheckpoint(body)],
  cosignatures: [["lines", "marks"], (_, body) => cosignatures(body)],
  policy: [["logs", "witnesses", "groups", "quorum"], (_, body) => decodePolicy(body)],
  bundle: [OF_BUNDLES, bundle],
  batch: [["answers", "envelopes"], (_, body) => decodeBatch(body)],
};

const folder = process.argv[2];
const textOf = (name) => readFileSync(path(folder, `${name}.txt`), "utf-8");

for (const type of readdirSync(folder).sort()) {
  if (!Object.hasOwn(READERS, type) || !statSync(path(folder, type)).isDirectory()) continue;
  for (const file of readdirSync(path(folder, type)).filter((one) => one.endsWith(".txt")).sort()) {
    const name = `${type}/${file.slice(0, -4)}`;
    const { outcome, found } = run(textOf(name), textOf, READERS);
    process.stdout.write(`${JSON.stringify({ name, outcome, found })}\n`);
  }
}
