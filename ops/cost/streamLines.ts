import type { Figures } from './assumptions.ts';
import { toLine, type Line } from './messageLines.ts';

const HOURS = 730;
const SECONDS = HOURS * 3_600;
const MILLION = 1_000_000;
/** What one unit of a load balancer holds and opens. Source: Elastic Load Balancing pricing, "LCU details". */
const LCU = { active: 3_000, newPerSecond: 25 } as const;
/** A task that serves streams. Source: infra/settings/streams.ts. */
const TASK = { cpus: 0.5, gb: 1 } as const;

/** What streams of events cost in a month that are open all day; nothing without them. The function is pure. */
export function streamLines(figures: Figures): readonly Line[] {
  const { streams, streamsPerTask, streamTasks, streamsPerTenant, streamSeconds, zones } = figures;
  if (streams === 0) return [];
  const tasks = Math.max(streamTasks, Math.ceil(streams / streamsPerTask));
  const units = Math.max(streams / LCU.active, streams / streamSeconds / LCU.newPerSecond);
  // Streams of a tenant are spread over the tasks, and each task that has one looks at the tenant's log itself.
  const looked = (streams / streamsPerTenant) * Math.min(streamsPerTenant, tasks);
  const reads =
    ((looked * figures.streamLookReads) / figures.streamLookSeconds + streams / figures.streamKeySeconds) * SECONDS;
  // A task holds the places of a tenant's streams together.
  const writes = (looked / figures.streamPlaceSeconds + (2 * streams) / streamSeconds) * SECONDS;
  return [
    toLine('streams', 'processors', 'fargateCpuHour', tasks * TASK.cpus * HOURS),
    toLine('streams', 'memory', 'fargateGbHour', tasks * TASK.gb * HOURS),
    toLine('streams', 'addresses', 'publicIpMonth', tasks + zones),
    toLine('streams', 'load balancer', 'loadBalancerHour', HOURS),
    toLine('streams', 'connections of the load balancer', 'loadBalancerUnitHour', units * HOURS),
    toLine('streams', 'looks at the log and at keys', 'readUnitMillion', reads / MILLION),
    toLine('streams', 'places of streams', 'writeUnitMillion', writes / MILLION),
  ];
}
