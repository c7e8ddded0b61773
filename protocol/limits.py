"""Every bound of the wire in one place, with its unit and its reason.

Pure numbers; knows nothing of who uses them. SPEC cites the values, and a decoder
checks them before it parses.
"""

from __future__ import annotations

from typing import Final

# --- JSON (SPEC 1) ---------------------------------------------------------
INTEGER_MAX: Final = 2**53 - 1  # beyond it, JSON readers in other languages lose digits
JSON_DEPTH_MAX: Final = 32  # deep nesting costs stack and means nothing in a message

# --- texts, in bytes -------------------------------------------------------
AUTHORITY_ID_BYTES_MAX: Final = 64
SEALED_TEXT_BYTES_MAX: Final = 4 * 1024 * 1024  # the padded text inside an envelope
HEADER_BYTES_MAX: Final = 2_048
INNER_BYTES_MAX: Final = SEALED_TEXT_BYTES_MAX - 8
MESSAGE_TEXT_BYTES_MAX: Final = 3 * 1024 * 1024 - 16_384  # base64 in DSSE makes 4 of 3
MANIFEST_INLINE_BYTES_MAX: Final = 2 * 1024 * 1024  # larger manifests will travel as files
MANIFEST_FILE_BYTES_MAX: Final = 64 * 1024 * 1024  # 100,000 items of 640 bytes each
DOCUMENT_BYTES_MAX: Final = 2 * 1024 * 1024  # 200 authorities need about 400 KB
LISTING_BYTES_MAX: Final = 64 * 1024  # 8 ML-DSA keys and the contacts of an office
REVOCATION_BYTES_MAX: Final = 256 * 1024  # up to 32 stewards' signatures
RECORD_BYTES_MAX: Final = 4_096
RECEIPT_BYTES_MAX: Final = 64 * 1024  # record, salt and a proof with up to 9 cosignatures
NOTE_BYTES_MAX: Final = 64 * 1024
PROOF_BYTES_MAX: Final = 40 * 1024  # a path of 53 hashes and a checkpoint with 9 witnesses
FORK_BYTES_MAX: Final = 192 * 1024  # two notes and a path, in base64
CLOSURE_BYTES_MAX: Final = 16 * 1024
POLICY_BYTES_MAX: Final = 256 * 1024  # C2SP asks for room for 32 logs, witnesses and groups
BUNDLE_BYTES_MAX: Final = 1024 * 1024 * 1024  # a ZIP without its extension for more
BUNDLE_ABOUT_BYTES_MAX: Final = 4_096
TIMESTAMP_BYTES_MAX: Final = 64 * 1024  # a token with the certificates of its authority
RECEIPT_FILE_BYTES_MAX: Final = 16 * 1024 * 1024  # four documents and the listings, base64 twice

# --- counts ----------------------------------------------------------------
ATTACHMENTS_MAX: Final = 64
MANIFEST_ITEMS_MAX: Final = 100_000
SKIPS_MAX: Final = 256
STANDING_NUMBERS_MAX: Final = 256
STANDING_BYTES_MAX: Final = 32 * 1024
STEWARDS_MAX: Final = 32
AUTHORITIES_MAX: Final = 256
WITNESSES_MAX: Final = 9
NOTE_SIGNATURES_MAX: Final = 64  # the log and 9 witnesses need 20 lines; the rest is room
CONSISTENCY_HASHES_MAX: Final = 63  # C2SP tlog-witness
BUNDLE_ENTRIES_MAX: Final = 10_000
KEYS_PER_LISTING_MAX: Final = 32
FILE_KEYS_MAX: Final = 64
KEY_TERMS_MAX: Final = 32  # lasting key pairs of one role that an authority can have had
LOGS_MAX: Final = 256  # a log is closed only when its keys or its state are lost
URLS_MAX: Final = 4
URL_CHARS_MAX: Final = 512
PINS_MAX: Final = 8
CONTACTS_MAX: Final = 16
WORDS_MAX: Final = 32  # languages, channels, functions of one authority
NAME_CHARS_MAX: Final = 256

# --- a batch over HTTP (SPEC 8) --------------------------------------------
BATCH_ENVELOPES_MAX: Final = 64
ANSWERS_MAX: Final = 512  # one for each envelope, and receipts given back
BATCH_BYTES_MAX: Final = 8 * 1024 * 1024
LONG_POLL_S_MAX: Final = 60
DOCUMENTS_MAX: Final = 4  # two valid ones of one version must travel together
DOCUMENTS_BODY_BYTES_MAX: Final = 12 * 1024 * 1024  # four of 2 MiB, in base64
LISTINGS_BODY_BYTES_MAX: Final = 16 * 1024 * 1024  # 512 listings of 20 KiB, in base64
LISTINGS_MAX: Final = 512  # each authority's newest, and the ones before it while they fit
REVOCATIONS_MAX: Final = 256
CONTINUATION_LINKS_MAX: Final = 512  # one for each checkpoint among the receipts of an answer
CONTINUATION_BYTES_MAX: Final = 1024 * 1024  # 512 paths of 25 hashes, in base64
NOTICES_MAX: Final = 64  # closures, and as many fork proofs, in one body
NOTICE_BYTES_MAX: Final = 256 * 1024  # a fork proof: two notes and a path, in base64
NOTICES_BODY_BYTES_MAX: Final = 8 * 1024 * 1024
WITNESS_BODY_BYTES_MAX: Final = 64 * 1024  # of add-checkpoint: a path and a note of 20 KiB

# --- a receipt file (SPEC 7.4) ---------------------------------------------
RECEIPT_FILE_LISTINGS_MAX: Final = 64  # one is enough; a chain may be given
RECEIPT_FILE_CLOSURES_MAX: Final = 64  # needed only for a log that no document lists

# --- time, in seconds ------------------------------------------------------
MESSAGE_LIFETIME_S_MAX: Final = 90 * 86_400
MESSAGE_LIFETIME_S: Final = 30 * 86_400
MESSAGE_SKEW_S: Final = 300
EPOCH_GRACE_S: Final = 90 * 86_400  # how long a superseded document still judges messages
HOP_LIFETIME_S_MAX: Final = 300
HOP_SKEW_S: Final = 60
HOP_KEY_OVERLAP_S: Final = 2 * 86_400  # a replaced key still signs: peers ask for listings
SEAL_KEY_LIFETIME_S: Final = 90 * 86_400
SEAL_KEY_RETIRED_S: Final = 35 * 86_400  # a message of 30 days, and time to notice
