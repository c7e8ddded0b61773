// The page: files in, conclusions out. Nothing is kept, and nothing leaves.

import { hex } from "./bytes.mjs";
import { judgeFiles, readFingerprint } from "./judge.mjs";
import { sha256 } from "./vendor/noble.mjs";
import { resultView } from "./view.mjs";

const HELD_BYTES_MAX = 2 ** 30;
const STREAMED_BYTES_MIN = 2 ** 27;

const byId = (id) => document.getElementById(id);
const [input, zone, trusted, status, results] =
  ["files", "drop", "trusted", "status", "results"].map(byId);

let chosen = [];
let turn = 0;

/** The digest of a file too large to be held, which no file of ours is but a bundle. */
async function digestOf(file) {
  const hasher = sha256.create();
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return hex(hasher.digest());
    hasher.update(value);
  }
}

async function read(file) {
  const { name } = file;
  const isBundle = name.endsWith(".comity") && file.size <= HELD_BYTES_MAX;
  if (file.size > STREAMED_BYTES_MIN && !isBundle) {
    return { name, bytes: null, sha256: await digestOf(file) };
  }
  return { name, bytes: new Uint8Array(await file.arrayBuffer()) };
}

const painted = () => new Promise((resolve) => {
  requestAnimationFrame(() => setTimeout(resolve, 0));
});

const said = { true: "verified", false: "false", undecided: "cannot be decided", other: "other" };

function summary(found) {
  const counts = Object.entries(said).map(([conclusion, name]) =>
    [found.filter((one) => one.conclusion === conclusion).length, name]);
  return counts.filter(([count]) => count > 0).map(([count, name]) => `${count} ${name}`).join(", ");
}

async function verify() {
  const mine = ++turn;
  const trust = readFingerprint(trusted.value);
  byId("trusted-fault").textContent = trust === undefined
    ? "A fingerprint is 60 digits, or 64 hexadecimal digits." : "";
  results.replaceChildren();
  if (chosen.length === 0 || trust === undefined) {
    status.textContent = "";
    return;
  }
  status.textContent = "Verifying…";
  await painted();
  try {
    const files = [];
    for (const file of chosen) files.push(await read(file));
    if (mine !== turn) return;
    const found = judgeFiles(files, { trusted: trust });
    results.replaceChildren(...found.map(resultView));
    status.textContent = `Done: ${summary(found)}.`;
  } catch (fault) {
    status.textContent = `Nothing was verified: ${fault.message}`;
  }
}

function take(files) {
  chosen = [...files];
  verify();
}

// A file that is chosen again may have changed; without this, nothing would be told of it.
input.addEventListener("click", () => { input.value = ""; });
input.addEventListener("change", () => take(input.files));
trusted.addEventListener("change", verify);
for (const kind of ["dragover", "dragenter"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
}
document.addEventListener("dragleave", () => zone.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  zone.classList.remove("over");
  take(event.dataTransfer.files);
});
