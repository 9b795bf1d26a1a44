import { setTimeout as sleep } from 'node:timers/promises';
import { linkAccounts, readAll, receive, sendPaced, warmUp, type Figures } from './messagesLoad.ts';
import type { CallTally } from './messagesProxy.ts';
import { startProduct, type MessagesSide } from './messagesSide.ts';

/** What one operation of one caller took for each message. */
export interface PerMessage {
  readonly caller: string;
  readonly operation: string;
  readonly calls: number;
  readonly writeUnits: number;
  readonly readUnits: number;
  readonly queueRequests: number;
  readonly bytes: number;
}

/** The kinds of message that are counted: `send` up to its delivery, `read` of it, `receive`. */
export type CountedKind = 'send' | 'read' | 'receive';

export interface CountedCalls {
  readonly figures: Figures;
  readonly perMessage: Readonly<Record<CountedKind, readonly PerMessage[]>>;
}

const ACCOUNTS_AT_ONCE = 8;
const PER_SECOND = 100;
const REST_SECONDS = 10;
/** What is still done for messages whose webhooks have come. */
const AFTERWARDS_MS = 1_500;
const KINDS: readonly CountedKind[] = ['send', 'read', 'receive'];

/** Counts what messages ask of the stores, and what the stack asks of them at rest. Counting takes time: nothing else is measured here. */
export async function countCalls(options: {
  readonly accounts: number;
  readonly count: number;
  readonly withKeys: boolean;
}): Promise<CountedCalls> {
  const side = await startProduct({ counting: true, withKeys: options.withKeys });
  try {
    const { accounts, lost } = await linkAccounts(side, { accounts: options.accounts, atOnce: ACCOUNTS_AT_ONCE });
    if (lost > 0) throw new Error(`${lost} pairings failed`);
    await warmUp(side, accounts);
    await sleep(AFTERWARDS_MS);
    await side.calls();
    await sleep(REST_SECONDS * 1_000);
    const rest = await side.calls();
    const load = { perSecond: PER_SECOND, count: options.count };
    const sends = await counted(side, rest, async () => {
      const { figures, sent } = await sendPaced(side, accounts, load);
      return { figures, sent, count: sent.length };
    });
    const reads = await counted(side, rest, async () => {
      const figures = await readAll(side, sends.sent, PER_SECOND);
      return { figures, count: sends.sent.length };
    });
    const receipts = await counted(side, rest, async () => {
      const figures = await receive(side, accounts, load);
      return { figures, count: options.count };
    });
    const perMessage = { send: sends.perMessage, read: reads.perMessage, receive: receipts.perMessage };
    const rates = {
      countedSends: sends.figures['pacedPerSecond'] ?? Number.NaN,
      countedReceived: receipts.figures[`in${PER_SECOND}PerSecond`] ?? Number.NaN,
    };
    const faults = faultsOnly('calls', [sends.figures, reads.figures, receipts.figures]);
    return { perMessage, figures: { ...restFigures(rest), ...sums(perMessage), ...faults, ...rates } };
  } finally {
    await side.stop();
  }
}

async function counted<Result extends { readonly count: number }>(
  side: MessagesSide,
  rest: readonly CallTally[],
  run: () => Promise<Result>,
): Promise<Result & { readonly perMessage: readonly PerMessage[] }> {
  await side.calls();
  const startedMs = performance.now();
  const result = await run();
  await sleep(AFTERWARDS_MS);
  const seconds = (performance.now() - startedMs) / 1_000;
  return { ...result, perMessage: toPerMessage(await side.calls(), { rest, seconds, count: result.count }) };
}

/**
 * What messages took, each of them. What is asked for whether or not there are messages is left out: at rest it is
 * counted by operation, and taken off for the time that this took. Of receives those count that brought something, since a
 * receive that waits in vain at rest brings messages under load.
 */
export function toPerMessage(
  tallies: readonly CallTally[],
  { rest, seconds, count }: { readonly rest: readonly CallTally[]; readonly seconds: number; readonly count: number },
): readonly PerMessage[] {
  return tallies.map((tally) => {
    const { caller, operation, calls, empty } = tally;
    if (/ ReceiveMessage /.test(operation)) {
      const bytes = tally.requestBytes + tally.answerBytes;
      const [full, requests] = [calls - empty, tally.queueRequests - empty];
      return { ...NONE, caller, operation, calls: full / count, queueRequests: requests / count, bytes: bytes / count };
    }
    const same = rest.find((entry) => entry.caller === caller && entry.operation === operation);
    const beyond = (of: (entry: CallTally) => number): number =>
      Math.max(0, of(tally) - (same === undefined ? 0 : (of(same) / REST_SECONDS) * seconds)) / count;
    return {
      caller,
      operation,
      calls: beyond((entry) => entry.calls),
      writeUnits: beyond((entry) => entry.writeUnits),
      readUnits: beyond((entry) => entry.readUnits),
      queueRequests: beyond((entry) => entry.queueRequests),
      bytes: beyond((entry) => entry.requestBytes + entry.answerBytes),
    };
  });
}

const NONE = { calls: 0, writeUnits: 0, readUnits: 0, queueRequests: 0, bytes: 0 } as const;

/** Sums by kind of message, and by kind and caller. */
function sums(perMessage: CountedCalls['perMessage']): Figures {
  const sumOf = (entries: readonly PerMessage[], of: (entry: PerMessage) => number): number =>
    entries.reduce((sum, entry) => sum + of(entry), 0);
  return Object.fromEntries(
    KINDS.flatMap((kind) => {
      const byCaller = [...Map.groupBy(perMessage[kind], ({ caller }) => caller)];
      return [['', perMessage[kind]] as const, ...byCaller].flatMap(([caller, entries]) => {
        const suffix = caller === '' ? '' : `:${caller}`;
        return [
          [`${kind}Calls${suffix}`, sumOf(entries, ({ calls }) => calls)],
          [`${kind}WriteUnits${suffix}`, sumOf(entries, ({ writeUnits }) => writeUnits)],
          [`${kind}ReadUnits${suffix}`, sumOf(entries, ({ readUnits }) => readUnits)],
          [`${kind}QueueRequests${suffix}`, sumOf(entries, ({ queueRequests }) => queueRequests)],
          [`${kind}Kb${suffix}`, sumOf(entries, ({ bytes }) => bytes) / 1_024],
        ] as const;
      });
    }),
  );
}

/** Calls in a second at rest, by caller. */
function restFigures(rest: readonly CallTally[]): Figures {
  const byCaller = [...Map.groupBy(rest, ({ caller }) => caller)];
  const perSecond = (entries: readonly CallTally[]): number =>
    entries.reduce((sum, { calls }) => sum + calls, 0) / REST_SECONDS;
  return {
    restCalls: perSecond(rest),
    ...Object.fromEntries(byCaller.map(([caller, entries]) => [`restCalls:${caller}`, perSecond(entries)])),
  };
}

function faultsOnly(label: string, all: readonly Figures[]): Figures {
  const sumOf = (ending: string): number =>
    all.reduce(
      (sum, figures) =>
        sum + Object.entries(figures).reduce((part, [name, value]) => part + (name.endsWith(ending) ? value : 0), 0),
      0,
    );
  return {
    [`${label}Lost`]: sumOf('Lost'),
    [`${label}Doubled`]: sumOf('Doubled'),
    [`${label}OutOfOrder`]: sumOf('OutOfOrder'),
  };
}
