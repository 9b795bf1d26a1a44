import type { LookUp, SendOutcome } from './connectionSocket.ts';

/** Stands in place of WhatsApp's number, where it answered and gave none. */
export const NO_NUMBER = 0;

/** WhatsApp refused a look-up with a number, or did not answer it. Nothing of the message has left. */
export class LookUpError extends Error {
  override readonly name = 'LookUpError';
  readonly lookUp: LookUp;
  /** WhatsApp's number; undefined when it gave no answer. */
  readonly code: number | undefined;

  constructor(lookUp: LookUp, code: number | undefined, cause?: unknown) {
    super(`the look-up of ${lookUp} was ${code === undefined ? 'not answered' : `refused (${code})`}`, { cause });
    this.lookUp = lookUp;
    this.code = code;
  }
}

/**
 * The number with which WhatsApp refused a query, in the error that Baileys makes of it (`assertNodeErrorFree`): a Boom whose
 * `data` is that number. Errors of the connection carry an object there, or nothing. Undefined for anything else.
 */
export function refusalIn(error: unknown): number | undefined {
  const data = typeof error === 'object' && error !== null && 'data' in error ? error.data : undefined;
  return typeof data === 'number' && Number.isSafeInteger(data) && data > 0 ? data : undefined;
}

/** Makes a look-up. Throws {@link LookUpError} for any failure of it. */
export async function asLookUp<Result>(lookUp: LookUp, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    throw new LookUpError(lookUp, refusalIn(error), error);
  }
}

/**
 * Whether a number is final: 4xx, except "not now" (408, 429), and an answer without any. Others are trouble of the
 * server, which passes.
 */
export function isFinal(code: number | undefined): code is number {
  return code === NO_NUMBER || (code !== undefined && code >= 400 && code < 500 && code !== 408 && code !== 429);
}

export function toOutcome({ lookUp, code }: LookUpError): SendOutcome {
  if (isFinal(code)) return { outcome: 'look_up_refused', lookUp, code };
  return { outcome: 'look_up_unanswered', lookUp, ...(code === undefined ? {} : { code }) };
}
