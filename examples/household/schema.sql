-- The text of an application is what the citizen is shown and consents to, byte
-- for byte.
CREATE TABLE IF NOT EXISTS applications (
  number   TEXT PRIMARY KEY,
  subject  TEXT NOT NULL,
  language TEXT NOT NULL,
  text     TEXT NOT NULL
) STRICT;

-- What proves a consent: the text is above.
CREATE TABLE IF NOT EXISTS consents (
  number    TEXT PRIMARY KEY REFERENCES applications,
  host      TEXT NOT NULL, -- under which the service was reached
  line      TEXT NOT NULL, -- as signed; has the digest of the text
  signature BLOB NOT NULL, -- SignedData over the line
  given_at  TEXT NOT NULL  -- RFC 3339
) STRICT;

CREATE TABLE IF NOT EXISTS evidence (
  number TEXT NOT NULL REFERENCES consents,
  kind   TEXT NOT NULL,
  der    BLOB NOT NULL
) STRICT;
