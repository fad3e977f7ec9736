-- What every service keeps. It is followed by the schema of the service.

-- Random keys that must outlive a restart. A real service has them in its secret
-- store, not in its database.
CREATE TABLE IF NOT EXISTS secrets (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;

-- What citizens have been asked to sign, with card or phone.
CREATE TABLE IF NOT EXISTS challenges (
  key    TEXT PRIMARY KEY,
  value  BLOB NOT NULL,
  expiry INTEGER NOT NULL
) STRICT;

-- The certificate with which a holder signed in last. An identity check needs it.
CREATE TABLE IF NOT EXISTS holders (
  subject     TEXT PRIMARY KEY,
  certificate BLOB NOT NULL
) STRICT;
