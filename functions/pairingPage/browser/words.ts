import type { PairingLanguage } from '../../../shared/connection/pairingLink.ts';
import { de } from './words/de.ts';
import { en, type Words } from './words/en.ts';
import { es } from './words/es.ts';
import { id } from './words/id.ts';
import { it } from './words/it.ts';
import { pt } from './words/pt.ts';

/** What the page says, in each of its languages. */
export const words: Readonly<Record<PairingLanguage, Words>> = { en, pt, es, id, de, it };

/** The language of the page: that of the link, else the first of the browser's that it speaks, else English. */
export function languageOf(chosen: PairingLanguage | undefined, browser: readonly string[]): PairingLanguage {
  if (chosen !== undefined) return chosen;
  const spoken = browser.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => Object.hasOwn(words, tag));
  return (spoken as PairingLanguage | undefined) ?? 'en';
}
