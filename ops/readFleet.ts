import { z } from 'zod';
import type { ApiAnswer } from '../infra/local/apiClient.ts';
import { recycleReasons } from '../shared/fleet/fleetView.ts';
import { Failed } from './sentence.ts';
import type { Target } from './target.ts';

const workerSchema = z.object({
  id: z.string(),
  state: z.enum(['ALIVE', 'DRAINING', 'DEAD']),
  generation: z.number(),
  zone: z.string().optional(),
  startedAt: z.iso.datetime(),
  lastHeartbeatAt: z.iso.datetime(),
  proof: z.string().optional(),
  load: z.object({
    connections: z.number(),
    online: z.number(),
    waiting: z.number(),
    opened: z.number(),
    openFailed: z.number(),
    suspendedMs: z.number(),
  }),
  shards: z.number(),
  drainRequested: z.boolean(),
  full: z.boolean(),
  recycle: z.enum(recycleReasons),
  suspended: z.boolean(),
});
export type FleetWorker = z.infer<typeof workerSchema>;

/** The part of `GET /v1/admin/fleet` that is shown here. */
const fleetSchema = z.object({
  mode: z.enum(['normal', 'outage']),
  brake: z.boolean(),
  leader: z.string().optional(),
  deputy: z.string().optional(),
  unowned: z.number(),
  workers: z.array(workerSchema).readonly(),
  shards: z.array(z.object({ shard: z.number() })).readonly(),
  movesInFlight: z.array(z.object({ shard: z.number(), from: z.string(), to: z.string() })).readonly(),
});
export type Fleet = z.infer<typeof fleetSchema>;

/** Asks the API for the fleet. Throws Failed with one sentence. */
export async function readFleet(target: Target): Promise<Fleet> {
  const answer = await callApi(target, 'GET', '/v1/admin/fleet');
  const fleet = fleetSchema.safeParse(answer.json);
  if (!fleet.success) throw new Failed(`${target.api().url} answers, but not as Holdfast does.`);
  return fleet.data;
}

/** Calls the API as the operator. Throws Failed when nothing answers, or when it answers with a problem. */
export async function callApi(target: Target, method: string, path: string, body?: unknown): Promise<ApiAnswer> {
  const { url, client } = target.api();
  const answer = await client.call(method, path, body).catch((cause: unknown) => {
    if (cause instanceof SyntaxError) throw new Failed(`${url} answers, but not as Holdfast does.`, { cause });
    throw new Failed(`Nothing answers at ${url}.`, { cause });
  });
  if (answer.status < 400) return answer;
  throw new Failed(problemOf(answer, url));
}

/** The sentence of a problem, or one made from the status when the answer is no problem. */
export function problemOf({ status, json }: ApiAnswer, url: string): string {
  const { detail } = json;
  return typeof detail === 'string' ? detail : `${url} answered ${status}.`;
}
