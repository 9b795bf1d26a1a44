/** What no log may hold (promise *quiet*): key material, full phone numbers, and what people wrote. */
export interface Finding {
  readonly kind: 'phone number' | 'key' | 'name of a key' | 'known';
  /** Where it stands; what it is, is left out: a report is printed. */
  readonly line: number;
}

/** Digits that stand alone, as in an address. Ids are mixed with letters, times are shorter or have points. */
const PHONE_NUMBER = /(?<![\w.])\d{11,15}(?![\w])/;
/** A task of the fleet has a UUID for its name, of which the last part may be digits alone. */
const UUID = /\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/g;
/** The embedded metric format gives its time as a number. */
const TIME_OF_METRICS = /"Timestamp":\d{13}\b/;
/**
 * Bytes in base64 or hexadecimal. Slashes count only where padding follows: otherwise every path would be one. What is padded
 * comes first: a run without slashes may end before a digit that tells it from a name.
 */
const KEY = /[A-Za-z0-9+/]{42,}={1,2}|[A-Za-z0-9+]{32,}/g;
/** Fields of Signal sessions and credentials. */
const KEY_NAME =
  /privKey|privateKey|rootKey|chainKey|currentRatchet|messageKeys|advSecretKey|noiseKey|signedIdentityKey|"type":"Buffer"/;

/**
 * Finds secrets in the lines of a log.
 * @param known what else must not stand there: texts of messages, secrets of tenants
 */
export function findSecrets(log: string, known: readonly string[] = []): readonly Finding[] {
  return log.split('\n').flatMap((line, at) => {
    const text = line.replace(TIME_OF_METRICS, '').replace(UUID, '');
    const found = (kind: Finding['kind']): Finding => ({ kind, line: at + 1 });
    return [
      ...(PHONE_NUMBER.test(text) ? [found('phone number')] : []),
      ...((text.match(KEY) ?? []).some(isRandom) ? [found('key')] : []),
      ...(KEY_NAME.test(text) ? [found('name of a key')] : []),
      ...(known.some((secret) => secret !== '' && text.includes(secret)) ? [found('known')] : []),
    ];
  });
}

/** Throws when the log holds secrets, with their kinds and lines. For the ends of tests. */
export function assertQuiet(log: string, known: readonly string[] = []): void {
  const findings = findSecrets(log, known);
  if (findings.length > 0) throw new Error(`the log holds secrets: ${JSON.stringify(findings)}`);
}

/** Names in the code are long too, but have no digits; digests in the log are shorter. */
function isRandom(text: string): boolean {
  if (text.endsWith('=')) return true;
  const isHex = /^[0-9a-f]+$/.test(text);
  return isHex ? text.length >= 48 : /\d/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text);
}
