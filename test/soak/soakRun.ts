/** Some dozens of connections under traffic and churn, in a process of its own with `--expose-gc`. */
import { answerParent, TalkingChild } from '../bench/childTalk.ts';
import { unpackAccount } from '../bench/fleetAccounts.ts';
import type { FleetServerAnswers } from '../bench/fleetServer.ts';
import { jidOfNumber, pause } from '../bench/fleetSide.ts';
import { makeOurFleet } from '../bench/ourFleet.ts';
import { inParallel } from '../chaos/inParallel.ts';
import { ResidueCount } from './residue.ts';
import type { Sample } from './slope.ts';

export interface SoakPlan {
  readonly connections: number;
  readonly minutes: number;
}

export interface SoakReport {
  readonly samples: readonly Sample[];
  readonly received: number;
  readonly sent: number;
  readonly reopened: number;
  /** Sends and openings that a drop by the server cut off. */
  readonly cutOff: number;
}

export type SoakRunAnswers = typeof answers;

const CONTACTS = 5;
const HANDSHAKES = 10;
const ROUND_MS = 1_000;
const SAMPLES = 30;
const MESSAGES_PER_ROUND = 40;
const SENDS_PER_ROUND = 10;
const REOPENED_PER_ROUND = 2;

const answers = {
  run: async ({ connections, minutes }: SoakPlan): Promise<SoakReport> => {
    const server = TalkingChild.start<FleetServerAnswers>(new URL('../bench/fleetServer.ts', import.meta.url));
    try {
      const place = await server.ask('begin', { accounts: connections, contacts: CONTACTS });
      const count = new ResidueCount();
      const side = makeOurFleet({ url: place.webSocketUrl, rootKey: place.rootKey, latencyMs: 2 }, count.watch);
      const accounts = place.accounts.splice(0).map(unpackAccount);
      await side.load(accounts);
      const numbers = accounts.splice(0).map(({ number }) => number);
      const all = numbers.map((_, index) => index);
      await inParallel(all, HANDSHAKES, side.open);
      const contactOf = (index: number): string => place.contacts[index % CONTACTS] ?? '';
      let [step, sent, reopened, cutOff] = [0, 0, 0, 0];
      const next = (): number => (step += 1) % connections;
      const samples: Sample[] = [];
      const startedMs = performance.now();
      const passedMinutes = (): number => (performance.now() - startedMs) / 60_000;
      while (passedMinutes() < minutes) {
        const round = performance.now();
        await server.ask(
          'seal',
          Array.from({ length: MESSAGES_PER_ROUND }, next).map((index) => ({
            from: contactOf(index),
            to: numbers[index] ?? '',
            count: 1,
          })),
        );
        await server.ask('release', undefined);
        const sending = Array.from({ length: SENDS_PER_ROUND }, next).map((index) =>
          side.send(index, jidOfNumber(contactOf(index)), `message ${step}`).then(
            () => (sent += 1),
            () => (cutOff += 1),
          ),
        );
        // Every second one is dropped by the server, the others are closed by us; both in the middle of traffic.
        for (const index of Array.from({ length: REOPENED_PER_ROUND }, next)) {
          if (step % 2 === 0) await server.ask('drop', numbers[index] ?? '');
          await side.close(index);
          await side.open(index).then(
            () => (reopened += 1),
            () => (cutOff += 1),
          );
        }
        await Promise.all(sending);
        if (samples.length < (passedMinutes() / minutes) * SAMPLES) {
          samples.push({ atMinutes: passedMinutes(), ...(await count.take()) });
        }
        await pause(Math.max(0, ROUND_MS - (performance.now() - round)));
      }
      const { internalErrors } = await server.ask('report', undefined);
      if (internalErrors.length > 0) throw new Error(`the simulator failed: ${internalErrors[0]}`);
      return { samples, received: side.received(), sent, reopened, cutOff };
    } finally {
      await server.stop();
    }
  },
};
answerParent(answers);
