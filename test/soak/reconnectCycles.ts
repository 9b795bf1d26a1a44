/** One connection whose socket is opened and closed again and again, in a process of its own with `--expose-gc`. */
import { answerParent, TalkingChild } from '../bench/childTalk.ts';
import { unpackAccount } from '../bench/fleetAccounts.ts';
import type { FleetServerAnswers } from '../bench/fleetServer.ts';
import { makeOurFleet } from '../bench/ourFleet.ts';
import { until } from '../whatsapp/until.ts';
import { ResidueCount, type Residue } from './residue.ts';

export interface CyclesReport {
  readonly before: Residue;
  readonly after: Residue;
}

/** How often a socket is opened and closed: at first uncounted, until what is compiled and cached once is there. */
export interface Cycles {
  readonly warmUp: number;
  readonly cycles: number;
}

export type ReconnectCyclesAnswers = typeof answers;

const MESSAGE_EVERY = 5;
const QUIET_MS = 60_000;

const answers = {
  run: async ({ warmUp, cycles }: Cycles): Promise<CyclesReport> => {
    const server = TalkingChild.start<FleetServerAnswers>(new URL('../bench/fleetServer.ts', import.meta.url));
    try {
      const {
        webSocketUrl: url,
        rootKey,
        accounts,
        contacts,
      } = await server.ask('begin', { accounts: 1, contacts: 1 });
      const count = new ResidueCount();
      const side = makeOurFleet({ url, rootKey, latencyMs: 1 }, count.watch);
      const [account] = accounts.splice(0).map(unpackAccount);
      if (account === undefined) throw new Error('there is no account');
      await side.load([account]);
      const cycle = async (index: number): Promise<void> => {
        await side.open(0);
        await side.caughtUp(0);
        if (index % MESSAGE_EVERY === 0) {
          const received = side.received();
          await server.ask('seal', [{ from: contacts[0] ?? '', to: account.number, count: 1 }]);
          await server.ask('release', undefined);
          await until('a message', side.received, (now) => now > received);
        }
        // Every second time the server goes first.
        if (index % 2 === 1) await server.ask('drop', account.number);
        await side.close(0);
      };
      const settled = (): Promise<Residue> =>
        until(
          'the end of all sockets',
          () => count.take(),
          ({ sockets }) => sockets === 0,
          QUIET_MS,
        ).catch(() => count.take());
      for (let index = 0; index < warmUp; index += 1) await cycle(index);
      const before = await settled();
      for (let index = 0; index < cycles; index += 1) await cycle(index);
      return { before, after: await settled() };
    } finally {
      await server.stop();
    }
  },
};
answerParent(answers);
