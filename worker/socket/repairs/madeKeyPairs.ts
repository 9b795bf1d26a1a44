import { Curve } from '@whiskeysockets/baileys';
import { remembered } from '../../session/keyPairs.ts';

const REMEMBERING = Symbol.for('holdfast.baileys.keyPairs');

/**
 * Makes the session store know the pairs that Baileys makes, so that it need not find their public halves anew, twice for each
 * of the 812 pre-keys of a pairing. It is done once for the whole process; the pairs are the same.
 */
export function rememberMadeKeyPairs(): void {
  const curve = Curve as typeof Curve & { [REMEMBERING]?: true };
  if (curve[REMEMBERING]) return;
  curve[REMEMBERING] = true;
  const { generateKeyPair } = curve;
  curve.generateKeyPair = () => remembered(generateKeyPair());
}
