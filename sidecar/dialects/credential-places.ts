// Every header in which a client of any provider puts its key. All are stripped on every call whatever the dialect, so
// that an agent's key for one provider never reaches another.

export const CREDENTIAL_HEADERS = [
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'cookie',
  'proxy-authorization',
] as const;
