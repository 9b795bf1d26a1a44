/**
 * `npm run bench:coordination`: what coordination costs (promise *lean*). Runs the real workers in virtual time, at rest,
 * and counts what each asks of the Fleet table; the first row, without any connection, is the baseline. Exits 1 when the
 * writes grow with the connections.
 */
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { makeSeededRandom } from '../simulation/seededRandom.ts';
import { STAGE } from '../simulation/simulatedAws.ts';
import { SimulatedFleet } from '../simulation/simulatedFleet.ts';
import { correct } from '../simulation/variants.ts';

const WORKERS = 4;
const SETTLE_MS = 300_000;
const MEASURED_MS = 600_000;
const CONNECTIONS = [0, 100, 1_000] as const;
const SHARDS = 20;

interface Measured {
  readonly connections: number;
  readonly online: number;
  readonly writes: number;
  readonly readBatches: number;
  readonly scans: number;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const perWorkerAndSecond = (count: number): string => (count / WORKERS / (MEASURED_MS / 1_000)).toFixed(3);

const rows: Measured[] = [];
for (const connections of CONNECTIONS) rows.push(await measure(connections));
say(`${WORKERS} workers, ${SHARDS} shards, ${MEASURED_MS / 1_000} s at rest; per worker and second:\n`);
say('connections  online  writes  reads of rows  reads of the whole table');
for (const { connections, online, writes, readBatches, scans } of rows) {
  const cells = [connections, online].map((value) => String(value).padStart(6)).join('    ');
  say(
    `${cells}    ${perWorkerAndSecond(writes)}      ${perWorkerAndSecond(readBatches)}          ${perWorkerAndSecond(scans)}`,
  );
}
const [baseline] = rows;
const most = Math.max(...rows.map(({ writes }) => writes));
process.exitCode = baseline !== undefined && most <= baseline.writes * 1.05 ? 0 : 1;

async function measure(connections: number): Promise<Measured> {
  const world = new SimulatedFleet({
    random: makeSeededRandom(1),
    variant: correct,
    shardCount: SHARDS,
    connections,
    say: () => undefined,
    opensPerSecond: 25,
  });
  await world.prepare();
  for (let count = 0; count < WORKERS; count += 1) world.startWorker(1);
  await world.time.run(world.time.nowMs + SETTLE_MS);
  const counts = { writes: 0, readBatches: 0, scans: 0 };
  world.aws.watch((command) => {
    const { input } = command as { readonly input: { readonly TableName?: string; readonly RequestItems?: object } };
    const isFleet = input.TableName === `${STAGE}-fleet` || `${STAGE}-fleet` in (input.RequestItems ?? {});
    if (!isFleet) return;
    if (command instanceof UpdateCommand) counts.writes += 1;
    else if (input.RequestItems === undefined) counts.scans += 1;
    else counts.readBatches += 1;
  });
  await world.time.run(world.time.nowMs + MEASURED_MS);
  const online = world.connections.filter(({ connectionId }) => world.whatsApp.isOnline(connectionId)).length;
  return { connections, online, ...counts };
}
