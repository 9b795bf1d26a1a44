import { createHash } from 'node:crypto';
import { ulid } from 'ulid';
import type { ConnectionId, MessageId, StanzaId } from './id.ts';
import type { Random } from './random.ts';

/**
 * The two ids of a message that we send. WhatsApp's receipts name only the stanza id; the message id follows from it, so
 * that a receipt finds its message without a row that leads there.
 *
 * A stanza id has the form that WhatsApp Web uses: `3EB0` and 18 hex digits. The digits hold the millisecond in which the
 * message was accepted (41 bits, since 2020) and 31 random bits, mixed by a fixed permutation, so that they look as random
 * as WhatsApp Web's own. They are no secret: a receipt counts by who sends it. The message id is a ULID of that
 * millisecond whose random part is a hash of connection and stanza id, so ids sort as messages were accepted.
 */
export interface SentIds {
  readonly messageId: MessageId;
  readonly stanzaId: StanzaId;
}

const EPOCH_MS = Date.UTC(2020, 0, 1);
const RANDOM_BITS = 31n;
const HALF_BITS = 36n;
const HALF = (1n << HALF_BITS) - 1n;
const ROUNDS = [1, 2, 3, 4] as const;
const STANZA_ID = /^3EB0([0-9A-F]{18})$/;

/**
 * Makes the ids of a message that is accepted now. Two messages of one connection in the same millisecond get the same
 * ids once in two thousand million times: who stores a message makes sure that it is new.
 */
export function makeSentIds(connectionId: ConnectionId, nowMs: number, random: Random): SentIds {
  return sentIdsOf(connectionId, nowMs, Buffer.from(random.bytes(4)).readUInt32BE() >>> 1);
}

/**
 * The ids of a message of which the caller decides what stands for chance, so that it can make them again.
 * @param chance a whole number of 31 bits
 */
export function sentIdsOf(connectionId: ConnectionId, atMs: number, chance: number): SentIds {
  const mixed = permute((BigInt(atMs - EPOCH_MS) << RANDOM_BITS) | BigInt(chance));
  const stanzaId = `3EB0${mixed.toString(16).toUpperCase().padStart(18, '0')}` as StanzaId;
  return { messageId: messageIdAt(connectionId, stanzaId, atMs), stanzaId };
}

/**
 * The id of the message that we sent under a stanza id, if we did: the row decides that. Undefined for a stanza id of
 * another form.
 */
export function messageIdOf(connectionId: ConnectionId, stanzaId: string): MessageId | undefined {
  const digits = STANZA_ID.exec(stanzaId)?.[1];
  if (digits === undefined) return undefined;
  const atMs = Number(invert(BigInt(`0x${digits}`)) >> RANDOM_BITS) + EPOCH_MS;
  return messageIdAt(connectionId, stanzaId, atMs);
}

function messageIdAt(connectionId: ConnectionId, stanzaId: string, atMs: number): MessageId {
  const digest = createHash('sha256')
    .update(JSON.stringify([connectionId, stanzaId]))
    .digest();
  let next = 0;
  return `msg_${ulid(atMs, () => (digest[next++ % digest.length] ?? 0) / 256)}` as MessageId;
}

/** A permutation of 72 bits: a Feistel network, which can be inverted whatever its round function is. */
function permute(bits: bigint): bigint {
  let [left, right] = [bits >> HALF_BITS, bits & HALF];
  for (const round of ROUNDS) [left, right] = [right, left ^ mix(round, right)];
  return (left << HALF_BITS) | right;
}

function invert(bits: bigint): bigint {
  let [left, right] = [bits >> HALF_BITS, bits & HALF];
  for (const round of ROUNDS.toReversed()) [left, right] = [right ^ mix(round, left), left];
  return (left << HALF_BITS) | right;
}

function mix(round: number, half: bigint): bigint {
  return createHash('sha256').update(`${round}:${half}`).digest().readBigUInt64BE() & HALF;
}
