// Receipts: SPEC 7.1 to 7.3.

import { fromBase64, refuse } from "./bytes.mjs";
import {
  bytesOf, closed, decodeJson, isDigest, isId, isText, number, oneOf, orNull,
} from "./json.mjs";
import { decodeProof, entryOf, leafOf, readCheckpoint, verifyInclusion, verifyProof } from "./log.mjs";

const FINAL = oneOf("expired", "equivocation", "skipped");

export function decodeDecision(bytes) {
  const common = {
    v: number(1, 1), network: isId, at: number(0), identity: isDigest, envelope: isDigest,
    from: isId, to: isId, kind: isText,
  };
  const record = decodeJson(bytes, 4096);
  switch (record?.kind) {
    case "message.accepted":
      return closed(record, { ...common, order: orNull(number(1)) });
    case "message.refused":
      return closed(record, { ...common, code: FINAL });
    default:
      return refuse("malformed", "not a decision");
  }
}

export function decodeReceipt(bytes) {
  const receipt = closed(decodeJson(bytes, 65536), {
    v: number(1, 1), record: bytesOf(0, 4096), salt: bytesOf(32), proof: bytesOf(0, 40960),
  });
  const record = fromBase64(receipt.record);
  return {
    record, decision: decodeDecision(record),
    salt: fromBase64(receipt.salt), proof: fromBase64(receipt.proof),
  };
}

/** What a receipt says of itself: its parts fit, and no signature is judged. */
export function readClaim(bytes) {
  const receipt = decodeReceipt(bytes);
  const proof = decodeProof(receipt.proof);
  const checkpoint = readCheckpoint(proof.checkpoint);
  const { network, to } = receipt.decision;
  if (!checkpoint.origin.startsWith(`${network}/${to}/`)) {
    refuse("not-authentic", "a decision that is not made by the owner of the log");
  }
  verifyInclusion({ leaf: leafOf(entryOf(receipt.record, receipt.salt)), ...proof, ...checkpoint });
  return { ...receipt, ...checkpoint, index: proof.index };
}

/** SPEC 7.2 (1) to (4). */
export function verifyReceipt(bytes, { network, issuer, origin, keys }) {
  const receipt = decodeReceipt(bytes);
  const { decision } = receipt;
  if (decision.network !== network || decision.to !== issuer) refuse("not-authentic", "not its own");
  return { decision, ...verifyProof(receipt.proof, { ...receipt, origin, keys }) };
}

/** SPEC 7.2 (5): about what was sent. */
export function requireAbout(decision, { sender, message, envelope }) {
  const about = [decision.from, decision.identity, decision.envelope];
  if (about.join() !== [sender, message, envelope].join()) {
    refuse("mismatch", "about another message");
  }
}
