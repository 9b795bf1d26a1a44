import { Curve } from '@whiskeysockets/baileys';
import { keyPairStock } from './keyPairStock.ts';

const REPLACED = Symbol.for('holdfast.baileys.keyPairs');

/**
 * Makes Baileys take its key pairs from the stock, which the session store knows: it need not find their public halves
 * anew, twice for each of the 812 pre-keys of a pairing. It is done once for the whole process; the pairs are of the same kind.
 */
export function takeKeyPairsFromStock(): void {
  const curve = Curve as { generateKeyPair: () => unknown; [REPLACED]?: true };
  if (curve[REPLACED]) return;
  curve[REPLACED] = true;
  curve.generateKeyPair = () => keyPairStock.take();
}
