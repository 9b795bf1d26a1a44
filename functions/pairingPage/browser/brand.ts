import type { Brand } from '../../../shared/connection/pairingLink.ts';
import { inkOn } from './inkOn.ts';

/** Shows for whom the page is: the name above everything, and the colour on the button that comes first. */
export function showBrand({ name, color }: Brand, line: HTMLElement): void {
  line.textContent = name ?? '';
  line.hidden = name === undefined;
  if (color === undefined) return;
  const { style } = document.documentElement;
  style.setProperty('--brand', color);
  style.setProperty('--on-brand', inkOn(color));
}
