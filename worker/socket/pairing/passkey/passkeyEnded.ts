import type { PasskeyEnd } from '../../port/passkeyEnd.ts';

/** The socket closes with this end; its name stands where the node of WhatsApp would. */
export class PasskeyEndedError extends Error {
  override readonly name = 'PasskeyEndedError';
  readonly output: { readonly statusCode: number | undefined };
  readonly data: { readonly tag: PasskeyEnd };

  /** @param statusCode the number with which WhatsApp refused it, where it did */
  constructor(end: PasskeyEnd, statusCode?: number) {
    super(`the linking by passkey ended: ${end}`);
    this.output = { statusCode };
    this.data = { tag: end };
  }
}
