import { z } from 'zod';
import type { Stats } from '../whatsapp/stats.ts';
import type { FleetUnderTest } from './fleetUnderTest.ts';
import type { Counts, Observed, Shown, Told } from './measures.ts';
import { QueueReader } from './queueDepths.ts';
import type { Traffic } from './traffic.ts';
import { untilNothingIsMissing } from './waiting.ts';

const eventPageSchema = z.object({
  data: z.array(z.object({ id: z.string(), type: z.string(), connectionId: z.string(), data: z.unknown() })),
  hasMore: z.boolean(),
  next: z.string(),
});
const textSchema = z.object({ content: z.object({ text: z.object({ body: z.string() }) }) });

/** What was counted before the case began. */
interface Before {
  readonly counts: Counts;
  readonly deadLetters: number;
}

const PAGE = 100;

/**
 * What WhatsApp's phones and the tenant see of one case: the phones' transcripts, the tenant's event log and webhooks, and
 * the simulator's counters. Workers are not asked.
 */
export class Observation {
  readonly #fleet: FleetUnderTest;
  /** The texts of this case begin with it. */
  readonly #prefix: string;
  readonly #queues: QueueReader;
  readonly #logged: { readonly eventId: string; readonly account: string; readonly text: string }[] = [];
  #readUpTo: string | undefined;
  readonly #before: Before;

  private constructor(fleet: FleetUnderTest, prefix: string, queues: QueueReader, before: Before) {
    this.#fleet = fleet;
    this.#prefix = prefix;
    this.#queues = queues;
    this.#before = before;
  }

  /** Begins now: what was counted earlier does not count. */
  static async begin(fleet: FleetUnderTest, label: string): Promise<Observation> {
    const queues = new QueueReader(fleet.stack, fleet.shards);
    const { deadCommands } = await queues.read();
    const counts = toCounts(await fleet.whatsApp.stats());
    const observation = new Observation(fleet, `${label}-`, queues, { counts, deadLetters: deadCommands });
    await observation.#readLog();
    return observation;
  }

  /** Waits until WhatsApp has a live socket of every account. */
  allOpen(deadlineMs: number): Promise<void> {
    return untilNothingIsMissing(async () => {
      const { spans } = await this.#fleet.whatsApp.stats();
      const closed = this.#fleet.accounts.filter(({ number }) => !isOpen(spans[number]));
      return closed.length === 0
        ? undefined
        : `${closed.length} connections are not open, ${closed[0]?.connectionId} among them`;
    }, deadlineMs);
  }

  async hasOpenedSince(sinceMs: number): Promise<boolean> {
    const { logins } = await this.#fleet.whatsApp.stats();
    return Object.values(logins).some((times) => (times.at(-1) ?? 0) >= sinceMs);
  }

  /** Waits until all that was sent and written has arrived and nothing is in a queue: whatever comes twice has come. */
  allQuiet({ sends, writes }: Pick<Traffic, 'sends' | 'writes'>, deadlineMs: number): Promise<void> {
    return untilNothingIsMissing(async () => {
      const { waiting } = await this.#queues.read();
      const shown = new Set((await this.#shown()).map(({ text }) => text));
      const told = new Set((await this.#told()).flatMap(({ text, isDelivered }) => (isDelivered ? [text] : [])));
      const unseen = sends.filter(({ text }) => !shown.has(text));
      const untold = writes.filter(({ text }) => !told.has(text));
      if (waiting + unseen.length + untold.length === 0) return undefined;
      return (
        `${unseen.length} messages have not reached their phones (${unseen[0]?.text}), ` +
        `${untold.length} have not reached the tenant (${untold[0]?.text}), and ${waiting} are in queues`
      );
    }, deadlineMs);
  }

  async end(traffic: Traffic, times: { readonly faultAtMs: number; readonly overAtMs: number }): Promise<Observed> {
    const [stats, shown, told, { deadCommands }] = await Promise.all([
      this.#fleet.whatsApp.stats(),
      this.#shown(),
      this.#told(),
      this.#queues.read(),
    ]);
    if (stats.internalErrors.length > 0) throw new Error(`The simulator had a fault: ${stats.internalErrors[0]}`);
    const counts = toCounts(stats);
    const { counts: before, deadLetters } = this.#before;
    return {
      ...times,
      sends: traffic.sends,
      writes: traffic.writes,
      shown,
      told,
      spans: stats.spans,
      conflicts: stats.conflicts,
      counts: {
        overlap: counts.overlap - before.overlap,
        resent: counts.resent - before.resent,
        undecryptable: counts.undecryptable - before.undecryptable,
        retryRequests: counts.retryRequests - before.retryRequests,
      },
      deadLetters: deadCommands - deadLetters,
      attempts: this.#fleet.whatsAppProxy.attemptsSince(times.faultAtMs),
    };
  }

  async #shown(): Promise<readonly Shown[]> {
    const { customers, whatsApp } = this.#fleet;
    const transcripts = await Promise.all(customers.map((number) => whatsApp.messages(number)));
    return transcripts.flat().flatMap(({ from, fromMe, text, at }) => {
      return fromMe || !text.startsWith(this.#prefix) ? [] : [{ account: from, text, atMs: at }];
    });
  }

  async #told(): Promise<readonly Told[]> {
    await this.#readLog();
    const delivered = new Set(this.#fleet.receiver.events.map(({ id }) => id));
    return this.#logged.map(({ eventId, account, text }) => ({ account, text, isDelivered: delivered.has(eventId) }));
  }

  /** Reads on where it stopped. */
  async #readLog(): Promise<void> {
    const { tenant, accounts } = this.#fleet;
    const numbers = new Map(accounts.map(({ connectionId, number }) => [connectionId, number]));
    for (;;) {
      const after = this.#readUpTo === undefined ? '' : `&after=${this.#readUpTo}`;
      const page = eventPageSchema.parse(await tenant.must('GET', `/v1/events?limit=${PAGE}${after}`));
      for (const { id, type, connectionId, data } of page.data) {
        const text = textSchema.safeParse(data).data?.content.text.body;
        const account = numbers.get(connectionId);
        if (type !== 'message.received' || account === undefined || !text?.startsWith(this.#prefix)) continue;
        this.#logged.push({ eventId: id, account, text });
      }
      this.#readUpTo = page.next;
      if (!page.hasMore) return;
    }
  }
}

function isOpen(spans: Stats['spans'][string] | undefined): boolean {
  const last = spans?.at(-1);
  return last !== undefined && last.closedAt === undefined;
}

function toCounts({ overlap, resent, undecryptable, retryRequests }: Stats): Counts {
  return { overlap, resent, undecryptable, retryRequests };
}
