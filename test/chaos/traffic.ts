import { setTimeout as sleep } from 'node:timers/promises';
import type { Account, FleetUnderTest } from './fleetUnderTest.ts';
import type { Send, Write } from './measures.ts';

/** A request that failed is made again with the same key, as a careful client does. */
const RETRY_AFTER_MS = 1_000;
const GIVE_UP_AFTER_MS = 60_000;

/**
 * Steady traffic, both ways: at an even pace each account in turn sends a text through the API, and is written to by its
 * customer. Texts are unique, and those of one account follow each other, so that loss, repetition and order show.
 */
export class Traffic {
  readonly sends: Send[] = [];
  readonly writes: Write[] = [];
  /** What the harness could not do: nothing of this should be. */
  readonly failures: string[] = [];
  readonly #fleet: FleetUnderTest;
  readonly #label: string;
  readonly #everyMs: number;
  /** The last thing that each account was asked to do, by direction. */
  readonly #lanes = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #turns = 0;

  /** @param label makes the texts of this traffic unlike those of any other @param perSecond messages each way */
  constructor(fleet: FleetUnderTest, label: string, perSecond: number) {
    this.#fleet = fleet;
    this.#label = label;
    this.#everyMs = 1_000 / perSecond;
  }

  start(): void {
    this.#timer = setInterval(() => this.#takeTurn(), this.#everyMs);
  }

  /** Waits until each account has had a turn from now on, or the traffic is stopped. */
  async round(): Promise<void> {
    const end = this.#turns + this.#fleet.accounts.length;
    while (this.#timer !== undefined && this.#turns < end) await sleep(this.#everyMs);
  }

  /** Resolves when what was begun is done. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await Promise.all(this.#lanes.values());
  }

  #takeTurn(): void {
    const turn = this.#turns;
    this.#turns += 1;
    const { accounts } = this.#fleet;
    const sender = accounts[turn % accounts.length];
    // Half a round apart, so that a fault meets accounts that only send, and accounts that only receive.
    const reader = accounts[(turn + Math.floor(accounts.length / 2)) % accounts.length];
    if (sender !== undefined) this.#queue('out', sender, () => this.#send(sender, `${this.#label}-out-${turn}`));
    if (reader !== undefined) this.#queue('in', reader, () => this.#write(reader, `${this.#label}-in-${turn}`));
  }

  /** One after the other for each account and direction: only then there is an order to keep. */
  #queue(direction: 'in' | 'out', { number }: Account, act: () => Promise<void>): void {
    const lane = `${direction}/${number}`;
    const before = this.#lanes.get(lane) ?? Promise.resolve();
    const after = before.then(act).catch((error: unknown) => void this.failures.push((error as Error).message));
    this.#lanes.set(lane, after);
  }

  async #send({ number, connectionId, customer }: Account, text: string): Promise<void> {
    const path = `/v1/connections/${connectionId}/messages`;
    const body = { to: `+${customer}`, type: 'text', text: { body: text } };
    const giveUpAtMs = performance.now() + GIVE_UP_AFTER_MS;
    for (;;) {
      const problem = await this.#fleet.tenant.call('POST', path, body, { 'idempotency-key': text }).then(
        ({ status, json }) => (status === 202 ? undefined : `${status} ${String(json['detail'])}`),
        (error: unknown) => (error as Error).message,
      );
      if (problem === undefined) break;
      if (performance.now() > giveUpAtMs) throw new Error(`The API did not accept ${text}: ${problem}`);
      await sleep(RETRY_AFTER_MS);
    }
    this.sends.push({ account: number, text, acceptedAtMs: Date.now() });
  }

  async #write({ number, customer }: Account, text: string): Promise<void> {
    await this.#fleet.whatsApp.write(customer, number, text);
    this.writes.push({ account: number, text });
  }
}
