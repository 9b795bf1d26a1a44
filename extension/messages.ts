/** What the parts of the extension tell each other, and the pairing page. Nothing of it is believed before it was read here. */

/** Why there is no signature. */
export const endings = {
  refused: 'The passkey was not used.',
  cancelled: 'The window of WhatsApp was closed.',
  timeout: 'Nobody answered in time.',
  busy: 'Another request is being answered. End that one first.',
  wrong_site: 'The request is not for a passkey of WhatsApp.',
  unsupported: 'The request, or this browser, is not one in which a passkey can be used.',
} as const;
export type Ending = keyof typeof endings;

/** The result of one request. */
export type Outcome =
  | { readonly type: 'passkey.signed'; readonly assertion: object }
  | { readonly type: 'passkey.failed'; readonly code: Ending; readonly message: string };

/** The longest request, in characters: WhatsApp's own client reads no longer one. */
const MOST_CHARACTERS = 4_096;

export function failed(code: Ending): Outcome {
  return { type: 'passkey.failed', code, message: endings[code] };
}

/** Reads a request of WebAuthn as JSON: an object of a bounded size for the relying party, without its extensions; else why it is none. */
export function readOptions(value: unknown, rpId: string): object | Ending {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'unsupported';
  if (JSON.stringify(value).length > MOST_CHARACTERS) return 'unsupported';
  // A request that names nobody would be for the site on which it is used, and that is WhatsApp's. Extensions of WebAuthn may have secrets
  // computed from a passkey, which no linking needs.
  const { rpId: named = rpId, extensions: _left, ...rest } = value as Readonly<Record<string, unknown>>;
  return named === rpId ? { ...rest, rpId } : 'wrong_site';
}

/** Reads what the signing window tells. */
export function readOutcome(value: unknown): Outcome | undefined {
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  if (value.type === 'passkey.signed') {
    return 'assertion' in value && typeof value.assertion === 'object' && value.assertion !== null
      ? { type: 'passkey.signed', assertion: value.assertion }
      : undefined;
  }
  const code = 'code' in value ? String(value.code) : '';
  return value.type === 'passkey.failed' && Object.hasOwn(endings, code) ? failed(code as Ending) : undefined;
}
