import { getBinaryNodeChild, S_WHATSAPP_NET, type BinaryNode } from '@whiskeysockets/baileys';
import { MOST_OPTIONS_BYTES, type PasskeyAssertion } from '../../../../shared/connection/passkey.ts';

/**
 * The stanzas of a linking by passkey, as WhatsApp's web client (`WAWebShortcakeLinkingPasskeyPrologue`, `WAWebShortcakeLinkingIq`)
 * and whatsmeow (`pair-passkey.go`) write them.
 */
export const PASSKEY_REQUEST = 'passkey_prologue_request';
export const PASSKEY_CONTINUATION = 'crsc_continuation';

const OPTIONS = 'passkey_request_options';
const REF = 'ref';
/** The longest answer that is read of a child, in bytes. */
const MOST_BYTES = 1_024;

/** Whether WhatsApp's server itself says it. */
export function isFromServer({ attrs }: BinaryNode): boolean {
  return attrs['from'] === 's.whatsapp.net' || attrs['from'] === S_WHATSAPP_NET;
}

export function toOptionsQuery(): BinaryNode {
  return toQuery('get', { tag: OPTIONS, attrs: {} });
}

export function toRefQuery(): BinaryNode {
  return toQuery('get', { tag: REF, attrs: {} });
}

export interface Prologue {
  readonly assertion: PasskeyAssertion;
  readonly payload: Uint8Array;
  /** The proof of the hand-off; undefined once its key is too old. */
  readonly proof: Uint8Array | undefined;
}

/** WhatsApp's own client writes these fields of an assertion, in this order, with null for a person who is not named. */
export function toPrologue({ assertion, payload, proof }: Prologue): BinaryNode {
  const { id, rawId, type, response } = assertion;
  const { clientDataJSON, authenticatorData, signature, userHandle = null } = response;
  const json = JSON.stringify({
    id,
    rawId,
    type,
    response: { clientDataJSON, authenticatorData, signature, userHandle },
  });
  return toQuery('set', {
    tag: 'passkey_prologue',
    attrs: {},
    content: [
      leaf('credential_id', Buffer.from(rawId, 'base64url')),
      leaf('webauthn_assertion', Buffer.from(json)),
      leaf('prologue_payload', payload),
      ...(proof === undefined ? [] : [leaf('pairing_handoff_proof', proof)]),
    ],
  });
}

export function toNonce(nonce: Uint8Array): BinaryNode {
  return toQuery('set', leaf('companion_nonce', nonce));
}

export function toSealedRequest(sealed: Uint8Array): BinaryNode {
  return toQuery('set', leaf('encrypted_pairing_request', sealed));
}

/** The text of a request for a passkey; undefined where there is none. */
export function optionsIn(stanza: BinaryNode): string | undefined {
  return bytesIn(stanza, OPTIONS, MOST_OPTIONS_BYTES)?.toString('utf8');
}

/** The reference of a linking; undefined where there is none. */
export function refIn(stanza: BinaryNode): string | undefined {
  return bytesIn(stanza, REF, MOST_BYTES)?.toString('utf8');
}

/** The phone's identity, encoded; undefined where there is none. */
export function phoneIdentityIn(stanza: BinaryNode): Buffer | undefined {
  return bytesIn(stanza, 'primary_ephemeral_identity', MOST_BYTES);
}

function toQuery(type: 'get' | 'set', child: BinaryNode): BinaryNode {
  return { tag: 'iq', attrs: { to: S_WHATSAPP_NET, type, xmlns: 'md' }, content: [child] };
}

function leaf(tag: string, content: Uint8Array): BinaryNode {
  return { tag, attrs: {}, content };
}

function bytesIn(stanza: BinaryNode, tag: string, most: number): Buffer | undefined {
  const content = getBinaryNodeChild(stanza, tag)?.content;
  const bytes =
    typeof content === 'string'
      ? Buffer.from(content)
      : content instanceof Uint8Array
        ? Buffer.from(content)
        : undefined;
  return bytes !== undefined && bytes.length > 0 && bytes.length <= most ? bytes : undefined;
}
