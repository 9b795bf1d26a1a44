/**
 * Facts are not known to be durable: their queue did not accept them. The stanza that they came from must not be
 * acknowledged.
 */
export class NotStoredError extends Error {
  override readonly name = 'NotStoredError';
}

/** The failure of a publish, with its cause. A closed gate is no failure of the queue. */
export function toNotStored(error: unknown): unknown {
  if (error instanceof NotStoredError || (error instanceof Error && error.name === 'GateClosedError')) return error;
  const because = error instanceof Error ? error.message : String(error);
  return new NotStoredError(`the events queue did not take the facts: ${because}`, { cause: error });
}
