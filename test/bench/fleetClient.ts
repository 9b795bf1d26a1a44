/** One side of the fleet bench, in a process of its own. It starts its own WhatsApp, and TLS before it, as processes of their own. */
import { answerParent, TalkingChild } from './childTalk.ts';
import { unpackAccount } from './fleetAccounts.ts';
import type { FleetFigures } from './fleetFigures.ts';
import { measureFleet, type FleetLoad } from './fleetMeasurement.ts';
import type { FleetServerAnswers } from './fleetServer.ts';
import type { FleetSide, SideOptions } from './fleetSide.ts';
import { makeOurFleet } from './ourFleet.ts';
import { makePlainFleet } from './plainFleet.ts';
import type { TlsTerminatorAnswers } from './tlsTerminator.ts';

export type SideName = 'ours' | 'plain';

export interface FleetRound {
  readonly side: SideName;
  readonly load: FleetLoad;
  readonly contacts: number;
  readonly latencyMs: number;
  /** The certificate and its key; undefined without TLS. */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
}

export type FleetClientAnswers = typeof answers;

const sides: Readonly<Record<SideName, (options: SideOptions) => FleetSide>> = {
  ours: makeOurFleet,
  plain: makePlainFleet,
};

const answers = {
  run: async ({ side: name, load, contacts, latencyMs, tls }: FleetRound): Promise<FleetFigures> => {
    const server = TalkingChild.start<FleetServerAnswers>(new URL('./fleetServer.ts', import.meta.url));
    const terminator = TalkingChild.start<TlsTerminatorAnswers>(new URL('./tlsTerminator.ts', import.meta.url));
    try {
      const { accounts, ...place } = await server.ask('begin', { accounts: load.connections, contacts });
      const url =
        tls === undefined
          ? place.webSocketUrl
          : `wss://127.0.0.1:${await terminator.ask('begin', { ...tls, port: place.port })}/ws/chat`;
      const side = sides[name]({ url, rootKey: place.rootKey, latencyMs });
      const numbers: string[] = [];
      for (const packed of accounts) {
        const account = unpackAccount(packed);
        numbers.push(account.number);
        await side.load([account]);
      }
      accounts.splice(0);
      const figures = await measureFleet(side, { contacts: place.contacts, numbers }, server, load);
      const { internalErrors, undecryptable, replaced } = await server.ask('report', undefined);
      if (internalErrors.length > 0) throw new Error(`the simulator failed: ${internalErrors[0]}`);
      if (undecryptable > 0 || replaced > 0) throw new Error(`${undecryptable} unreadable, ${replaced} replaced`);
      return figures;
    } finally {
      await Promise.all([server.stop(), terminator.stop()]);
    }
  },
};
answerParent(answers);
