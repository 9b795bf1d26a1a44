import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';

/**
 * What acts on another message is sealed with a key that is made of the secret of that message: AES-256-GCM, with the tag
 * at the end of the payload, under HKDF-SHA256 of the secret, without salt. The key is bound to the message's id, its
 * author, whoever acts, and the use; two of the uses authenticate the message's id and the acting person beside it.
 * Clients write people by number or by LID as they know them, so every pair of names is tried.
 */
export interface Sealed {
  readonly use: SealUse;
  readonly payload: Uint8Array;
  readonly iv: Uint8Array;
}

interface Use {
  /** The words that the key is bound to. */
  readonly label: string;
  readonly authenticates: boolean;
}

const uses = {
  edit: { label: 'Message Edit', authenticates: false },
  vote: { label: 'Poll Vote', authenticates: true },
  poll_edit: { label: 'Poll Edit', authenticates: false },
  poll_add_option: { label: 'Poll Add Option', authenticates: false },
  event_response: { label: 'Event Response', authenticates: true },
  event_edit: { label: 'Event Edit', authenticates: false },
  reaction: { label: 'Enc Reaction', authenticates: false },
  comment: { label: 'Enc Comment', authenticates: false },
} as const satisfies Readonly<Record<string, Use>>;

export type SealUse = keyof typeof uses;
export const sealUses = Object.keys(uses) as [SealUse, ...SealUse[]];
export function isSealUse(text: string): text is SealUse {
  return Object.hasOwn(uses, text);
}

const KEY_BYTES = 32;
const TAG_BYTES = 16;
export const IV_BYTES = 12;

/** The people and the message that a seal is bound to, each person with all names that are known. */
export interface SealBinding {
  readonly secret: Uint8Array;
  /** The id of the original message. */
  readonly stanzaId: string;
  readonly authors: readonly string[];
  readonly actors: readonly string[];
}

/** Opens a seal. Returns undefined where it does not open under any names: whoever made it had no right to, or lied. */
export function openSealed({ use, payload, iv }: Sealed, binding: SealBinding): Uint8Array | undefined {
  if (iv.length !== IV_BYTES || payload.length < TAG_BYTES) return undefined;
  for (const author of new Set(binding.authors)) {
    for (const actor of new Set(binding.actors)) {
      const opened = openAs({ use, payload, iv }, binding, { author, actor });
      if (opened !== undefined) return opened;
    }
  }
  return undefined;
}

/** Seals bytes for a message. The names are those by which author and acting person call each other there. @param iv must be of chance */
export function seal(
  use: SealUse,
  plaintext: Uint8Array,
  of: Pick<SealBinding, 'secret' | 'stanzaId'>,
  names: { readonly author: string; readonly actor: string },
  iv: Uint8Array,
): Sealed {
  const { key, beside } = sealKey(use, of, names);
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES }).setAAD(beside);
  return { use, iv, payload: Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]) };
}

/** The key of a seal, and what it authenticates beside its payload. */
export function sealKey(
  use: SealUse,
  { secret, stanzaId }: Pick<SealBinding, 'secret' | 'stanzaId'>,
  { author, actor }: { readonly author: string; readonly actor: string },
): { readonly key: Uint8Array; readonly beside: Uint8Array } {
  const { label, authenticates } = uses[use];
  const key = hkdfSync('sha256', secret, new Uint8Array(0), `${stanzaId}${author}${actor}${label}`, KEY_BYTES);
  return { key: new Uint8Array(key), beside: Buffer.from(authenticates ? `${stanzaId}\0${actor}` : '') };
}

function openAs(
  { use, payload, iv }: Sealed,
  binding: SealBinding,
  names: { readonly author: string; readonly actor: string },
): Uint8Array | undefined {
  const { key, beside } = sealKey(use, binding, names);
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(beside);
  decipher.setAuthTag(payload.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(payload.subarray(0, -TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
}
