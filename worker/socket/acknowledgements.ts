/** Who waits for the server's ack of which stanza. Baileys tells nobody when a message was accepted. */
export class Acknowledgements {
  readonly #waiting = new Map<
    string,
    { readonly resolve: (error: number | undefined) => void; readonly reject: (error: Error) => void }
  >();

  /** Resolves with nothing when the server has the message, or with the number for which it refused it. */
  expect(stanzaId: string): Promise<number | undefined> {
    const arrived = new Promise<number | undefined>((resolve, reject) => {
      this.#waiting.set(stanzaId, { resolve, reject });
    });
    // Whoever expected it may have given up before it was abandoned.
    arrived.catch(() => undefined);
    return arrived;
  }

  arrive(stanzaId: string, error: string | undefined): void {
    this.#waiting.get(stanzaId)?.resolve(error === undefined ? undefined : Number(error));
    this.#waiting.delete(stanzaId);
  }

  forget(stanzaId: string): void {
    this.#waiting.delete(stanzaId);
  }

  /** The socket is gone: nothing arrives any more. */
  abandon(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the socket closed before the ack'));
    this.#waiting.clear();
  }
}
