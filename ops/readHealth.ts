import { z } from 'zod';
import { callApi } from './readFleet.ts';
import { Failed } from './sentence.ts';
import type { Target } from './target.ts';

const connectionSchema = z.object({
  id: z.string(),
  label: z.string().optional(),
  tenant: z.string(),
  tenantName: z.string().optional(),
  attention: z.enum(['bad', 'look', 'good']),
  reason: z.string(),
  status: z.string(),
  parkedMessages: z.number(),
  oldestParkedAt: z.iso.datetime().optional(),
  sendsPaused: z.object({ sentence: z.string(), until: z.iso.datetime() }).optional(),
});
/** A connection that is wanted online, and how well it works. */
export type ConnectionHealth = z.infer<typeof connectionSchema>;

const eventsSchema = z.object({ lagMs: z.number(), measuredAt: z.iso.datetime(), late: z.boolean() });
/** How far behind ingest was at its last measurement. */
export type EventLag = z.infer<typeof eventsSchema>;

/** The part of `GET /health/detailed` that is shown here. */
const healthSchema = z.object({
  events: eventsSchema.optional(),
  connections: z.array(connectionSchema).readonly(),
});
export type ShardHealth = z.infer<typeof healthSchema>;

/** Asks the API for the connections of one shard. Throws Failed with one sentence. */
export async function readHealth(target: Target, shard: number): Promise<ShardHealth> {
  const health = healthSchema.safeParse((await callApi(target, 'GET', `/health/detailed?shard=${shard}`)).json);
  if (!health.success) throw new Failed(`${target.api().url} answers, but not as Holdfast does.`);
  return health.data;
}
