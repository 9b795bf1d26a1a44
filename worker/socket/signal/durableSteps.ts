import type { CommitGate } from '../../fleet/gate.ts';

/**
 * The orders that make messages crash-proof (docs/sessions.md, "What a kill cannot do"), without the library that they
 * are used with.
 *
 * sending    gate → encrypt and commit the ratchet step → gate → ciphertext may leave
 * receiving  handled already? → decrypt → publish → commit the step with the mark of the stanza → receipt may leave
 */
export interface ReceiveSteps<Plain> {
  /** Whether this stanza was handled before: WhatsApp brings it back when its receipt was lost, and its key is used up. */
  readonly isHandled: () => Promise<boolean>;
  readonly decrypt: () => Promise<Plain>;
  /** Publishes what was decrypted. Resolves when it is durable in the events queue. */
  readonly publish: (plain: Plain) => Promise<void>;
  /** Stores the mark; the step that `decrypt` made becomes durable with it. */
  readonly markHandled: () => Promise<void>;
}

/**
 * Runs a step of sending: its result may go to the wire. `commit` resolves when the step is durable. Throws
 * GateClosedError when the worker may not act before or after it; the step is then lost and never used.
 */
export async function sendDurably<Sealed>(
  gate: Pick<CommitGate, 'assertOpen'>,
  commit: () => Promise<Sealed>,
): Promise<Sealed> {
  gate.assertOpen();
  const sealed = await commit();
  gate.assertOpen();
  return sealed;
}

/**
 * Runs the steps of receiving. Returns the decrypted message, or `handled` for a stanza that needs nothing but its
 * receipt.
 */
export async function receiveDurably<Plain>(steps: ReceiveSteps<Plain>): Promise<Plain | 'handled'> {
  if (await steps.isHandled()) return 'handled';
  const plain = await steps.decrypt();
  await steps.publish(plain);
  await steps.markHandled();
  return plain;
}

/** The number of stanzas that are remembered for each session or sender key (docs/sessions.md, "Session store"). */
const RING_SIZE = 32;

/** The ring of handled stanzas with one more in it. */
export function withMark(ring: readonly string[], mark: string): readonly string[] {
  return [...ring, mark].slice(-RING_SIZE);
}
