import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { makeTenant, type ApiClient } from '../../infra/local/apiClient.ts';
import { credentialsOf } from '../../infra/local/callers.ts';
import { pairSandboxPhone } from '../../infra/local/pairing.ts';
import { queueUrlBase } from '../../infra/local/queues.ts';
import { startStack } from '../../infra/local/stack.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import { queueDefinitions } from '../../shared/platform/queues.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { until } from '../whatsapp/until.ts';
import { generousPlans } from '../emulators/storeConfig.ts';

/** The linked account, a contact who writes as people do, and one who says anything. */
export const SHOP = '4915100000001';
export const ANN = '4915100000002';
export const MALLORY = '4915100000003';
/** Somebody who is in no chat with anybody. */
export const STRANGER = '4915100000004';

/** What a neighbour may be kept waiting beyond what it takes anyway: the promise is two seconds. */
const HELD_UP_MS = 2_000;
/** Other work on the machine makes everything slower: what it takes behind ordinary texts is measured, and allowed for. */
const ALLOWED_FOR_LOAD = 4;
const ORDINARY_TEXTS = 20;
const PATIENCE_MS = 60_000;
const PAGE = 100;

/** One event of the log. */
export interface LoggedEvent {
  readonly id: string;
  readonly type: string;
  readonly connectionId: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * Every process of the embedded stack, with one linked account, and contacts that can be made to say anything. What is held to
 * be true after each attack: `assertHeld`.
 */
export class HostileStage {
  readonly api: ApiClient;
  readonly phones: WhatsAppClient;
  readonly connectionId: string;
  readonly stack: RunningStack;
  readonly #dataDir: string;
  readonly #queue: SQSClient;
  readonly #log: LoggedEvent[] = [];
  #after: string | undefined;
  #greetings = 0;
  #peaceMs = 0;
  #before: { readonly logins: number; readonly workerId: string | undefined; readonly events: number } | undefined;

  private constructor(parts: Pick<HostileStage, 'api' | 'phones' | 'connectionId' | 'stack'>, dataDir: string) {
    this.api = parts.api;
    this.phones = parts.phones;
    this.connectionId = parts.connectionId;
    this.stack = parts.stack;
    this.#dataDir = dataDir;
    const { sqsEndpoint: endpoint } = parts.stack;
    this.#queue = new SQSClient({ endpoint, region: 'us-east-1', credentials: credentialsOf('stack') });
  }

  static async start(): Promise<HostileStage> {
    const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-hostile-'));
    const stack = await startStack({
      dataDir,
      port: 0,
      live: false,
      workers: 1,
      shards: 1,
      plans: generousPlans,
      workerSettings: { HOLDFAST_PACE_BUDGETS: 'off' },
      watchdogSettings: false,
      say: () => undefined,
      // Seen as a worker that is not the same any more, or as an API that does not answer.
      onBroken: () => undefined,
    });
    try {
      const phones = new WhatsAppClient(stack.whatsAppControlUrl ?? '');
      for (const number of [SHOP, ANN, MALLORY, STRANGER]) await phones.addPhone(number, `${number} 😀`);
      const api = await makeTenant(stack.apiUrl, stack.operatorKey, 'Acme');
      const connectionId = await pairSandboxPhone(api, phones, { number: SHOP, method: 'qr' });
      const stage = new HostileStage({ api, phones, connectionId, stack }, dataDir);
      // The first message of a contact takes longer than the others: its session is made.
      for (const number of [ANN, MALLORY]) await phones.write(number, SHOP, `${number} is here`);
      await stage.events('both contacts', ({ type }) => type === 'message.received', 2);
      stage.#peaceMs = await stage.#greetInPeace();
      await stage.#remember();
      return stage;
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#queue.destroy();
    await this.stack.stop();
    rmSync(this.#dataDir, { recursive: true, force: true });
  }

  /** All events of the log so far, oldest first. */
  async log(): Promise<readonly LoggedEvent[]> {
    for (;;) {
      const after = this.#after === undefined ? '' : `&after=${this.#after}`;
      const { data, hasMore, next } = await this.api.must('GET', `/v1/events?limit=${PAGE}${after}`);
      const events = data as readonly LoggedEvent[];
      this.#log.push(...events);
      this.#after = String(next);
      if (hasMore !== true) return this.#log;
    }
  }

  /** Waits for so many events that fit, and gives them. */
  async events(
    what: string,
    fits: (event: LoggedEvent) => boolean,
    count: number,
    deadlineMs = PATIENCE_MS,
  ): Promise<readonly LoggedEvent[]> {
    const found = async (): Promise<readonly LoggedEvent[]> => (await this.log()).filter(fits);
    try {
      return await until(what, found, ({ length }) => length >= count, deadlineMs);
    } catch {
      throw new Error(`${what}: ${(await found()).length} of ${count} events came`);
    }
  }

  /** Ann writes a text. Resolves when its event is in the log: how long that took, in milliseconds. */
  async greet(): Promise<number> {
    this.#greetings += 1;
    const body = `greeting ${this.#greetings}`;
    const startedMs = performance.now();
    await this.phones.write(ANN, SHOP, body);
    await this.events(body, (event) => textOf(event) === body, 1);
    return performance.now() - startedMs;
  }

  /** Ann's texts come through as behind those of people. Throws when she waits longer than is promised. */
  async assertNeighbourHeard(): Promise<void> {
    const tookMs = await this.greet();
    const isHeldUp = (): boolean => tookMs > HELD_UP_MS + ALLOWED_FOR_LOAD * this.#peaceMs;
    // The load of the machine changes, so what peace is like is asked again before anybody is blamed.
    if (isHeldUp()) this.#peaceMs = await this.#greetInPeace();
    if (!isHeldUp()) return;
    const [took, peace] = [Math.round(tookMs), Math.round(this.#peaceMs)];
    throw new Error(
      `a neighbour's message took ${took} ms; behind ${ORDINARY_TEXTS} ordinary ones it takes ${peace} ms`,
    );
  }

  /** How long Ann's text takes when the other contact writes as people do, in milliseconds. */
  async #greetInPeace(): Promise<number> {
    for (let text = 0; text < ORDINARY_TEXTS; text += 1) await this.phones.write(MALLORY, SHOP, `ordinary ${text}`);
    return this.greet();
  }

  /**
   * What must be true after any attack. Throws an Error that names what is not: the socket was never cut, the worker is the
   * same, no status was told, nothing waits, and nothing is among the dead letters.
   */
  async assertHeld(): Promise<void> {
    const before = this.#before;
    if (before === undefined) throw new Error('nothing to compare with');
    await this.#untilNothingWaits();
    const statuses = (await this.log()).slice(before.events).filter(({ type }) => type === 'connection.status');
    const { status } = (await this.api.must('GET', `/v1/connections/${this.connectionId}`)) as {
      readonly status: { readonly status: string };
    };
    const now = {
      status: status.status,
      statuses: statuses.map(({ data }) => `${String(data['status'])}/${String(data['code'])}`),
      logins: await this.#logins(),
      workerId: this.stack.workers()[0]?.workerId,
      deadLetters: await this.#waiting((name) => name.includes('-dead')),
      faultsOfTheSimulator: (await this.phones.stats()).internalErrors,
    };
    const wanted = {
      status: 'online',
      statuses: [],
      logins: before.logins,
      workerId: before.workerId,
      deadLetters: 0,
      faultsOfTheSimulator: [],
    };
    if (JSON.stringify(now) !== JSON.stringify(wanted)) {
      // What comes after is judged by itself.
      await this.#remember();
      throw new Error(`it did not hold: ${JSON.stringify(now)} instead of ${JSON.stringify(wanted)}`);
    }
  }

  /** Every stanza has been acknowledged, or it would come again at each login. Throws when one has not. */
  async assertAcknowledged(): Promise<void> {
    await until(
      'an acknowledgement of each stanza',
      async () => (await this.phones.phones()).find(({ number }) => number === SHOP)?.devices[0]?.waiting,
      (count) => count === 0,
      PATIENCE_MS,
    );
  }

  /** Facts of the queue that nobody has recorded yet would be late, or lost. */
  async #untilNothingWaits(): Promise<void> {
    await until(
      'an empty queue of facts',
      () => this.#waiting((name) => name.includes('-events') && !name.includes('-dead')),
      (count) => count === 0,
      PATIENCE_MS,
    );
  }

  /** Messages in queues, those included that somebody is working on. */
  async #waiting(isMeant: (queueName: string) => boolean): Promise<number> {
    const names = queueDefinitions(this.stack.stage, 1).filter(({ name }) => isMeant(name));
    let count = 0;
    for (const { name } of names) {
      const { Attributes = {} } = await this.#queue.send(
        new GetQueueAttributesCommand({
          QueueUrl: `${queueUrlBase(this.stack.sqsEndpoint)}${name}`,
          AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
        }),
      );
      for (const value of Object.values(Attributes)) count += Number(value);
    }
    return count;
  }

  async #logins(): Promise<number> {
    return (await this.phones.stats()).logins[SHOP]?.length ?? 0;
  }

  async #remember(): Promise<void> {
    this.#before = {
      logins: await this.#logins(),
      workerId: this.stack.workers()[0]?.workerId,
      events: (await this.log()).length,
    };
  }
}

/** The text of a received message; undefined for anything else. */
export function textOf({ type, data }: LoggedEvent): string | undefined {
  if (type !== 'message.received') return undefined;
  return (data['content'] as { readonly text?: { readonly body: string } } | undefined)?.text?.body;
}

/** The stanza id that an event is about. */
export function stanzaIdOf({ data }: LoggedEvent): string {
  return String(data['stanzaId']);
}
