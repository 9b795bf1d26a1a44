/** The moment of a call at which a process dies: the call has no effect, or it has and nobody learns of it. */
export interface Death {
  /** The place of the call among all that the process makes; 1 is the first. */
  readonly call: number;
  readonly when: 'before' | 'after';
}

/** A call that never returns, as for a process that is gone. */
const NEVER = new Promise<never>(() => undefined);

/** A process whose calls to the world are counted, and which dies at one of them: that call and all later ones never return. */
export function makeMortal(death?: Death) {
  const died = Promise.withResolvers<'died'>();
  const state = { calls: 0, isDead: false };
  const die = (): Promise<never> => {
    state.isDead = true;
    died.resolve('died');
    return NEVER;
  };
  const reach = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    state.calls += 1;
    const isEnd = death?.call === state.calls;
    if (state.isDead || (isEnd && death.when === 'before')) return die();
    // A call that the world refuses, such as a condition that is not met, is as much a moment to die after.
    const [answer] = await Promise.allSettled([call()]);
    if (state.isDead || isEnd) return die();
    if (answer.status === 'rejected') throw answer.reason;
    return answer.value;
  };
  /** The same client, whose calls are calls of this process. */
  const asOurs = <Client extends { readonly send: (command: never) => Promise<unknown> }>(client: Client): Client =>
    Object.assign(Object.create(client) as Client, {
      send: (command: Parameters<Client['send']>[0]) => reach(() => client.send(command)),
    });
  return { reach, asOurs, died: died.promise, calls: () => state.calls };
}
