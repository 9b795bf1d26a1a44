import { createHmac } from 'node:crypto';
import { HEAD_BYTES } from './signalBytes.ts';

/**
 * Steps of sending that are stored before they are made. The number of a message on a Signal chain is used once: whoever has
 * used one must never be able to come back to it. Storing each step does that, with a write for each device and message. So
 * does storing, with one write, the state that the chain will have some messages later: until then nothing need be stored,
 * because the store is ahead of every number that is used.
 *
 * - A process that dies leaves the store ahead: its successor goes on behind the last stored number, and the numbers between
 *   are never used. To the recipient that is a gap, as if those messages were still on their way.
 * - An owner that acts after it has lost the connection uses numbers that its successor never uses.
 * - What a contact's answer changes is more than such a step (it ends the chain), so it is written before the next send.
 * - A write that fails is followed by a read of the store, which has either number: both are ahead.
 *
 * The first step that an owner makes in a session is stored as it is; the farther it has come there, the farther ahead it
 * stores, so that a message now and then leaves no gaps.
 */
/** The number of steps that the store may be ahead. */
const MOST_STEPS_AHEAD = 15;
/** How many steps ahead the store is, by the number of writes that were for steps alone; the last for all further ones. */
const STEPS_AHEAD = [0, 0, 3, MOST_STEPS_AHEAD] as const;

/** The form of a key that is a record of Signal sessions with a head (`signalBytes`). */
export const OPEN_RECORD = 0x21;
const STEP = Buffer.from([2]);

/** The number of the last message that was sent on the open session, or of the last one that is stored ahead. */
export function lastStepOf(record: Uint8Array): number {
  return viewOf(record).readInt32BE(1);
}

/** Whether `after` is `before` with nothing but further steps of sending. */
export function isStepFrom(before: Uint8Array | undefined, after: Uint8Array | null): boolean {
  if (before?.[0] !== OPEN_RECORD || after?.[0] !== OPEN_RECORD || before.length !== after.length) return false;
  if (lastStepOf(after) <= lastStepOf(before)) return false;
  const from = 1 + HEAD_BYTES;
  return viewOf(before).subarray(from).equals(viewOf(after).subarray(from));
}

/**
 * A record as it is stored: as it will be some steps of sending later.
 * @param stepWrites how often this owner has written it for a step alone
 */
export function aheadOf(record: Uint8Array, stepWrites: number): Uint8Array {
  const steps = STEPS_AHEAD[Math.min(stepWrites, STEPS_AHEAD.length - 1)] ?? 0;
  if (steps === 0) return record;
  const ahead = Buffer.from(record);
  ahead.writeInt32BE(lastStepOf(record) + steps, 1);
  let key: Uint8Array = record.subarray(5, 1 + HEAD_BYTES);
  for (let left = steps; left > 0; left -= 1) key = createHmac('sha256', key).update(STEP).digest();
  ahead.set(key, 5);
  return ahead;
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Keys of one item, by name. */
type Keys = ReadonlyMap<string, Uint8Array>;

/** The keys as they are stored, with a Signal session some steps of sending ahead. */
export function storedAhead(entries: Keys, stepWrites: number): Keys {
  if (stepWrites === 0) return entries;
  return new Map(
    [...entries].map(([name, bytes]) => [name, bytes[0] === OPEN_RECORD ? aheadOf(bytes, stepWrites) : bytes]),
  );
}

/** The last step of sending of the Signal session among some keys. */
export function stepIn(entries: Keys): number | undefined {
  for (const bytes of entries.values()) if (bytes[0] === OPEN_RECORD) return lastStepOf(bytes);
  return undefined;
}
