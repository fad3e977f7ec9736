-- Who the service knows. An account belongs to a person, a subject to a holder
-- of certificates: one account can have several.
CREATE TABLE IF NOT EXISTS accounts (
  id          TEXT PRIMARY KEY,
  national_id TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE IF NOT EXISTS links (
  subject TEXT PRIMARY KEY REFERENCES holders,
  account TEXT NOT NULL REFERENCES accounts
) STRICT;

CREATE TABLE IF NOT EXISTS returns (
  number   TEXT PRIMARY KEY,
  account  TEXT NOT NULL REFERENCES accounts,
  document BLOB NOT NULL
) STRICT;

-- Every signature that was received, with what the verification said.
CREATE TABLE IF NOT EXISTS filings (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  number      TEXT NOT NULL REFERENCES returns,
  signer      TEXT NOT NULL,
  signature   BLOB NOT NULL,
  line        TEXT NOT NULL, -- of a phone, which signs a line and not the document
  certificate BLOB,          -- beside the signature of a phone
  verdict     TEXT NOT NULL,
  record      TEXT NOT NULL
) STRICT;

-- A return is filed once, whether with card or phone. Its number stands in the
-- document. Signature bytes say nothing about that: one content can be signed any
-- number of times.
CREATE UNIQUE INDEX IF NOT EXISTS filed_once ON filings (number) WHERE verdict = 'accepted';

-- Every verdict, refusals too, with everything it rests on: files of package
-- evidence. Those of sign-ins belong to no filing.
CREATE TABLE IF NOT EXISTS verdicts (
  filing   INTEGER REFERENCES filings,
  evidence TEXT NOT NULL
) STRICT;
