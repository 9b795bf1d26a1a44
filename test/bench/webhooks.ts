/**
 * `npm run bench:webhooks -- --concurrency 10 --rounds 2`: how much later events reach fifty webhooks of ten tenants that are well when three
 * others hang, fail and are gone. Runs without and with these three take turns, so that both have the same machine. What is measured lies between
 * the queue and the receiver: an event source as Lambda's, with so many batches under way at once, and the deliver function. Then one of
 * another tenant begins to hang, or to answer after a second and a half, while it is sent ten events a second.
 */
import type { ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { makeDeliverHandler } from '../../functions/deliver/handler.ts';
import { startEventSource } from '../../infra/local/eventSource.ts';
import { sharesOfQueues } from '../../infra/settings/concurrency.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import type { CorrelationId, EventId, TenantId } from '../../shared/kernel/id.ts';
import { AddressGuard, systemResolve } from '../../shared/platform/addressGuard.ts';
import { deliveryQueueNames, functionTimes } from '../../shared/platform/queues.ts';
import { enqueueDeliveries } from '../../shared/webhook/delivery.ts';
import type { Endpoint } from '../../shared/webhook/endpoint.ts';
import { makeEndpointBreakerStore } from '../../shared/webhook/endpointBreakerStore.ts';
import { EndpointStore } from '../../shared/webhook/endpointStore.ts';
import { makeWebhookPoster } from '../../shared/webhook/postWebhook.ts';
import { aTenantWith, startQueueStack, type QueueStack } from '../functions/queueStack.ts';
import { aStatusDraft, logEvents } from '../shared/event/loggedEvents.ts';
import { startReceiver } from '../shared/webhook/receiver.ts';
import { until } from '../whatsapp/until.ts';

const TENANTS = 10;
const HEALTHY_OF_EACH = 5;
/** The longest time that a receiver has to answer, in milliseconds, as in production. */
const TIMEOUT_MS = 10_000;
const ILLS = ['hangs', 'fails', 'gone'] as const;
/** How much a webhook is sent that falls ill, how long before and after, and how long one takes that still answers. */
const FALLING = { perSecond: 10, wellMs: 5_000, illMs: 10_000, answersAfterMs: 1_500 } as const;

const { values } = parseArgs({
  options: {
    concurrency: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '30' },
    rate: { type: 'string', default: '1' },
  },
});
const [concurrency, rounds, seconds, rate] = [values.concurrency, values.rounds, values.seconds, values.rate].map(
  Number,
) as [number, number, number, number];

interface BenchTenant {
  readonly tenantId: TenantId;
  readonly endpoints: readonly Endpoint[];
}

const real = await startQueueStack();
const stores = { table: real.table, stage: real.stage, clock: { ...real.clock, ...systemClock }, random: real.random };
const stack: QueueStack = {
  ...real,
  clock: stores.clock,
  endpoints: new EndpointStore(stores),
  breakers: makeEndpointBreakerStore(stores),
};
const sentAtMs = new Map<string, number>();
let delaysMs: number[] = [];
/** What the webhook does that falls ill. */
let falling: 'answers' | 'hangs' | 'takes long' = 'answers';
const receiver = await startReceiver((_request, response) => {
  note(receiver.received.at(-1)?.body ?? '');
  response.writeHead(200).end();
});
/** At an address of its own, as the receivers of others have. */
const illReceiver = await startReceiver((request, response) => {
  const kind = (request.url ?? '').slice(1);
  if (kind.startsWith('falling/')) answerFalling(response);
  else if (kind !== 'hangs') response.writeHead(kind === 'gone' ? 410 : 500).end();
});
const guard = new AddressGuard({ resolve: systemResolve, allowLoopback: true });
const poster = makeWebhookPoster({ guard, clock: systemClock, timeoutMs: TIMEOUT_MS });
const handler = makeDeliverHandler({ ...stack, poster });
const shares = sharesOfQueues('deliver', concurrency, 2);
const sources = deliveryQueueNames(stack.stage).map((queueName, place) =>
  startEventSource({
    polling: stack.queue,
    acting: stack.queue,
    queueName,
    queueUrl: `${stack.queueUrlBase}${queueName}`,
    handler,
    batchSize: 10,
    waitSeconds: 1,
    timeoutMs: functionTimes.timeoutSeconds * 1_000,
    concurrency: shares[place] ?? 0,
    gatherMs: 0,
    deleteLingerMs: 50,
    logger: stack.logger,
  }),
);

const [alone, beside]: [number[], number[]] = [[], []];
await run([]);
for (let round = 0; round < rounds; round += 1) {
  alone.push(...(await run([])));
  beside.push(...(await run(ILLS)));
}
const share = (all: readonly number[], of: number): number =>
  Math.round(all.toSorted((left, right) => left - right)[Math.floor(all.length * of)] ?? Number.NaN);
process.stdout.write(`\n${concurrency} batches at once, ${rate} events of each tenant a second\n\n`);
for (const [name, all] of [
  ['alone', alone],
  ['beside three that are not well', beside],
] as const) {
  process.stdout.write(`${name}: ${all.length} deliveries, p50 ${share(all, 0.5)} ms, p99 ${share(all, 0.99)} ms\n`);
}
process.stdout.write(`ratio of p99: ${(share(beside, 0.99) / share(alone, 0.99)).toFixed(2)}\n`);
for (const becomes of ['hangs', 'takes long'] as const) await fall(becomes);
await Promise.all(sources.map((source) => source.stop()));
await Promise.all([poster.close(), receiver.stop(), illReceiver.stop()]);
await stack.stop();

function note(body: string): void {
  const { tenantId, id } = JSON.parse(body) as { readonly tenantId: string; readonly id: string };
  delaysMs.push(performance.now() - (sentAtMs.get(`${tenantId} ${id}`) ?? Number.NaN));
}

/** Tells events at a steady pace, and waits until each is with all that are well. Returns how long each took, in milliseconds. */
async function run(ills: readonly string[]): Promise<readonly number[]> {
  const tenants: BenchTenant[] = [];
  for (let count = 0; count < TENANTS; count += 1) {
    const well = Array.from({ length: HEALTHY_OF_EACH }, (_, place) => `${receiver.url}/well/${place}`);
    const ill = ills.slice(count, count + 1).map((kind) => `${illReceiver.url}/${kind}`);
    tenants.push(
      await aTenantWith(
        stack,
        [...well, ...ill].map((url) => ({ url })),
      ),
    );
  }
  delaysMs = [];
  const events = seconds * rate * TENANTS;
  const startMs = performance.now();
  for (let event = 0; event < events; event += 1) {
    await systemClock.sleep(Math.max(0, startMs + (event * 1_000) / (rate * TENANTS) - performance.now()));
    const tenant = tenants[event % TENANTS];
    if (tenant !== undefined) await tell(tenant);
  }
  await until('all that are well have all', () => delaysMs.length >= events * HEALTHY_OF_EACH, Boolean);
  return [...delaysMs];
}

function answerFalling(response: ServerResponse): void {
  const answer = (): void => void response.writeHead(200).end();
  if (falling === 'answers') answer();
  else if (falling === 'takes long') setTimeout(answer, FALLING.answersAfterMs);
}

/** Has a webhook fall ill under load, and prints how late events of other tenants are before, and in the first ten seconds. */
async function fall(becomes: 'hangs' | 'takes long'): Promise<void> {
  falling = 'answers';
  const place = `/falling/${becomes.replace(' ', '-')}`;
  const ill = await aTenantWith(stack, [{ url: `${illReceiver.url}${place}` }]);
  const well: BenchTenant[] = [];
  for (let count = 0; count < TENANTS; count += 1) {
    const urls = Array.from({ length: HEALTHY_OF_EACH }, (_, at) => ({ url: `${receiver.url}/well/${at}` }));
    well.push(await aTenantWith(stack, urls));
  }
  const told: string[] = [];
  const phase = async (durationMs: number): Promise<readonly number[]> => {
    delaysMs = [];
    const begunMs = performance.now();
    const steps = (durationMs * FALLING.perSecond) / 1_000;
    for (let step = 0; step < steps; step += 1) {
      await systemClock.sleep(Math.max(0, begunMs + (step * 1_000) / FALLING.perSecond - performance.now()));
      told.push((await tell(ill)) ?? '');
      const one = well[step % well.length];
      if (one !== undefined) await tell(one);
    }
    await until('all that are well have all', () => delaysMs.length >= steps * HEALTHY_OF_EACH, Boolean);
    return delaysMs;
  };
  const before = await phase(FALLING.wellMs);
  falling = becomes;
  const after = await phase(FALLING.illMs);
  const posts = () =>
    illReceiver.received.filter(({ path }) => path === place).map(({ headers }) => headers['webhook-id']);
  if (becomes === 'takes long') await until('it has all', () => new Set(posts()).size >= told.length, Boolean);
  process.stdout.write(
    `one ${becomes} from now on, at ${FALLING.perSecond} events a second: others before p50 ${share(before, 0.5)} ms, p99 ${share(before, 0.99)} ms; in its first ${FALLING.illMs / 1_000} s p50 ${share(after, 0.5)} ms, p99 ${share(after, 0.99)} ms; ${posts().length} posts of ${new Set(posts()).size} events\n`,
  );
}

async function tell({ tenantId, endpoints }: BenchTenant): Promise<string | undefined> {
  const [logged] = await logEvents(stack, [aStatusDraft(tenantId)]);
  if (logged === undefined) return undefined;
  sentAtMs.set(`${tenantId} ${logged.id}`, performance.now());
  const correlationId = logged.correlationId as CorrelationId;
  const event = { eventId: logged.id as EventId, type: logged.type, correlationId, text: JSON.stringify(logged) };
  await enqueueDeliveries(stack, endpoints, [event]);
  return logged.id;
}
