/**
 * `npm run bench:chats -- --chats 10000 --lists 200`: how long the list of chats takes that has many of them, through the API function and the
 * emulator of DynamoDB, beside one of fifty chats in the same run. The chats were last written in over sixty days, or all within three hours as
 * after a campaign. Prints a table with the goal; exits 1 when it is missed.
 */
import { parseArgs } from 'node:util';
import { makeId, type ConnectionId } from '../../shared/kernel/id.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { anAccount, ApiStack } from '../functions/api/apiStack.ts';

/** The longest time that 99 of 100 lists may take, in milliseconds. */
const GOAL_MS = 300;
const FEW = 50;
const SPREAD_MS = 60 * 86_400_000;
const DENSE_MS = 3 * 3_600_000;
/** The number of chats that are written at once. */
const AT_ONCE = 500;

const { values } = parseArgs({
  options: { chats: { type: 'string', default: '10000' }, lists: { type: 'string', default: '200' } },
});
const [chats, lists] = [Number(values.chats), Number(values.lists)];

const stack = await ApiStack.start();
const tenant = await stack.tenant();
const nowMs = Date.now();

async function withChats(count: number, everyMs: number): Promise<ConnectionId> {
  const connectionId = await stack.connection(tenant, anAccount);
  for (let from = 0; from < count; from += AT_ONCE) {
    const writes = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, place) => {
      const atMs = nowMs - (from + place) * everyMs;
      const lastMessageId = makeId('msg', atMs, systemRandom);
      const is = {
        id: `${100_000_000_000_000 + from + place}@lid`,
        number: `49151${10_000_000 + from + place}`,
        lastMessageId,
        lastAtMs: atMs,
        unread: 1,
        version: 1,
      };
      return { connectionId, was: undefined, is };
    });
    const outcomes = await stack.dependencies.chats.write(writes, nowMs);
    if (outcomes.some((outcome) => outcome !== 'written')) throw new Error('a chat was not written');
  }
  return connectionId;
}

/** The times of lists in milliseconds, sorted: the first page, and every tenth time one from the middle. */
async function timesOf(connectionId: ConnectionId, middleMs: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let list = 0; list < lists; list += 1) {
    const after = list % 10 === 9 ? `&after=${nowMs - middleMs}.0@lid` : '';
    const beganMs = performance.now();
    const { status, body } = await stack.call('GET', `/v1/connections/${connectionId}/chats?limit=50${after}`, {
      key: tenant.key,
    });
    times.push(performance.now() - beganMs);
    if (status !== 200 || !Array.isArray(body['data'])) throw new Error(`a list was answered with ${status}`);
  }
  return times.toSorted((one, other) => one - other);
}

const quantile = (sorted: readonly number[], share: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

say('| chats | written in within | p50, ms | p99, ms | goal |');
say('| --- | --- | --- | --- | --- |');
let isMissed = false;
for (const { count, withinMs, within, goalMs } of [
  { count: FEW, withinMs: SPREAD_MS, within: '60 days', goalMs: undefined },
  { count: chats, withinMs: SPREAD_MS, within: '60 days', goalMs: GOAL_MS },
  { count: chats, withinMs: DENSE_MS, within: '3 hours', goalMs: undefined },
]) {
  const everyMs = Math.floor(withinMs / count);
  const times = await timesOf(await withChats(count, everyMs), everyMs * Math.floor(count / 2));
  const p99 = quantile(times, 0.99);
  const holds = goalMs === undefined || Number(p99) < goalMs;
  isMissed ||= !holds;
  const goal = goalMs === undefined ? '' : `< ${goalMs} ${holds ? 'holds' : 'MISSED'}`;
  say(`| ${count} | ${within} | ${quantile(times, 0.5)} | ${p99} | ${goal} |`);
}
await stack.stop();
process.exitCode = isMissed ? 1 : 0;
