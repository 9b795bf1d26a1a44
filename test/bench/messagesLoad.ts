import { setTimeout as sleep } from 'node:timers/promises';
import { countSent, countReceived, percentile, type Faults, type Sent, type Written } from './messagesCounts.ts';
import { cpuBetween, isService } from './messagesProcesses.ts';
import { nowMs } from './messagesReceiver.ts';
import type { LinkedAccount, MessagesSide } from './messagesSide.ts';

/** Figures by name; the rows that show them are in `messagesFigures.ts`. */
export type Figures = Readonly<Record<string, number>>;

const WORDS = [
  'ok',
  'danke 😀',
  '👩🏽‍🚀 👨‍👩‍👧‍👦',
  'मेरा ऑर्डर',
  'أين طلبي؟',
  '我的包裹 𠀋',
  'is it on its way?',
  'ни пуха 🍀',
] as const;
const CUSTOMERS = 10;
/** When nothing has come for that long, what is missing is lost. */
const SILENCE_MS = 20_000;
const DRAIN_MS = 120_000;
const WARM_MS = 60_000;
const LOOK_EVERY_MS = 20;

/** A text like no other. @param label of the phase */
export function textOf(label: string, number: number): string {
  return `${label} ${number} ${WORDS[number % WORDS.length] ?? ''}`;
}

/** Makes phones and links them. A phone whose pairing failed counts as lost. */
export async function linkAccounts(
  side: MessagesSide,
  options: { readonly accounts: number; readonly atOnce: number },
): Promise<{
  readonly accounts: readonly LinkedAccount[];
  readonly seconds: number;
  readonly lost: number;
  readonly cpuMs: number;
}> {
  const numberOf = (index: number): string => String(4_917_000_000_000 + index);
  const customerOf = (index: number): string => String(4_918_000_000_000 + (index % CUSTOMERS));
  for (let index = 0; index < options.accounts; index += 1) {
    await side.whatsApp.addPhone(numberOf(index), `Account ${index}`);
    if (index < CUSTOMERS) await side.whatsApp.addPhone(customerOf(index), `Customer ${index} 😀`);
  }
  const accounts: LinkedAccount[] = [];
  let lost = 0;
  const before = side.processes();
  const startedMs = nowMs();
  await atOnce(options.accounts, options.atOnce, async (index) => {
    const number = numberOf(index);
    try {
      accounts.push({ number, customer: customerOf(index), id: await side.link(number) });
    } catch (error) {
      process.stderr.write(`  pairing of ${number} failed: ${(error as Error).message}\n`);
      lost += 1;
    }
  });
  const seconds = (nowMs() - startedMs) / 1_000;
  const spent = [...cpuBetween(before, side.processes())];
  const service = spent.reduce((sum, [name, ms]) => sum + (isService(name) ? ms : 0), 0);
  return { accounts, seconds, lost, cpuMs: service / options.accounts };
}

/** A message each way for each account, so that all sessions are there. */
export async function warmUp(side: MessagesSide, accounts: readonly LinkedAccount[]): Promise<void> {
  for (const { number, customer } of accounts) await side.whatsApp.write(customer, number, `hello ${number}`);
  await arrival(side, ({ type }) => type === 'message.received', accounts.length, WARM_MS);
  await atOnce(accounts.length, 10, async (index) => void (await side.send(at(accounts, index), `hello ${index}`)));
  await arrival(side, ({ status }) => status === 'delivered', accounts.length, WARM_MS);
  side.receiver.take();
}

/** Callers that each send one message after the other, each with accounts of its own, until time or messages are used up. */
export async function sendByCallers(
  side: MessagesSide,
  accounts: readonly LinkedAccount[],
  load: { readonly callers: number; readonly most: number; readonly seconds: number },
): Promise<Figures> {
  return await measured('send', side, async (startedMs) => {
    const sent: Sent[] = [];
    const refusals: Error[] = [];
    let begun = 0;
    const endMs = startedMs + load.seconds * 1_000;
    await atOnce(load.callers, load.callers, async (caller) => {
      const own = accounts.filter((_, index) => index % load.callers === caller);
      for (let turn = 0; own.length > 0 && begun < load.most && nowMs() < endMs; turn += 1) {
        begun += 1;
        const number = begun;
        const account = at(own, turn % own.length);
        await sendOne(side, account, textOf('callers', number), { dueMs: nowMs(), sent, refusals });
      }
    });
    const acceptedMs = nowMs() - startedMs;
    await arrival(side, ({ status }) => status === 'delivered', sent.length);
    const { shownAtMs, faults } = await countSent(side, sent);
    const deliveredAtMs = side.receiver.events.filter(({ status }) => status === 'delivered').map(({ atMs }) => atMs);
    return {
      count: sent.length,
      faults,
      figures: {
        sendRefused: tell(refusals),
        acceptedPerSecond: (sent.length / acceptedMs) * 1_000,
        shownPerSecond: ratePerSecond(shownAtMs, startedMs),
        deliveredPerSecond: ratePerSecond(deliveredAtMs, startedMs),
      },
    };
  });
}

/** Sends at an even pace, whether or not answers come: an answer counts from when it was due to be asked for. */
export async function sendPaced(
  side: MessagesSide,
  accounts: readonly LinkedAccount[],
  load: { readonly perSecond: number; readonly count: number },
): Promise<{ readonly figures: Figures; readonly sent: readonly Sent[] }> {
  const sent: Sent[] = [];
  const refusals: Error[] = [];
  const figures = await measured('paced', side, async (startedMs) => {
    const before = new Map<string, Promise<unknown>>();
    const { tasks } = await pace(load, (number, dueMs) => {
      const account = at(accounts, number % accounts.length);
      const after = (before.get(account.id) ?? Promise.resolve()).then(async () => {
        await sendOne(side, account, textOf('paced', number), { dueMs, sent, refusals });
      });
      before.set(account.id, after);
      return after;
    });
    await Promise.all(tasks);
    await arrival(side, ({ status }) => status === 'delivered', sent.length);
    const { faults } = await countSent(side, sent);
    const answersMs = sent.map(({ dueMs, answeredMs }) => answeredMs - dueMs);
    const acceptedAtMs = new Map(sent.map(({ messageId, answeredMs }) => [messageId, answeredMs]));
    const deliveredMs = side.receiver.events.flatMap(({ status, messageId, atMs }) => {
      const acceptedMs = acceptedAtMs.get(messageId);
      return status === 'delivered' && acceptedMs !== undefined ? [atMs - acceptedMs] : [];
    });
    return {
      count: sent.length,
      faults,
      figures: {
        pacedRefused: tell(refusals),
        pacedPerSecond: ratePerSecond(
          sent.map(({ answeredMs }) => answeredMs),
          startedMs,
        ),
        answerP50Ms: percentile(answersMs, 0.5),
        answerP99Ms: percentile(answersMs, 0.99),
        deliveredP50Ms: percentile(deliveredMs, 0.5),
        deliveredP99Ms: percentile(deliveredMs, 0.99),
      },
    };
  });
  return { figures, sent };
}

/** Customers write at an even pace; what they write was sealed before. With no pace they write all at once. */
export async function receive(
  side: MessagesSide,
  accounts: readonly LinkedAccount[],
  load: { readonly perSecond: number | undefined; readonly count: number },
): Promise<Figures> {
  const { perSecond, count } = load;
  const label = perSecond === undefined ? 'burst' : `in${perSecond}`;
  const written = await sealAhead(side, accounts, label, count);
  return await measured(label, side, async (startedMs) => {
    const isReceived = ({ type }: { readonly type: string }): boolean => type === 'message.received';
    if (perSecond === undefined) {
      for (const writing of written) writing.atMs = startedMs;
      await Promise.all(customersOf(accounts).map((customer) => side.whatsApp.release(customer)));
    } else {
      const { tasks } = await pace({ perSecond, count }, (number) => {
        const writing = at(written, number);
        writing.atMs = nowMs();
        return side.whatsApp.release(writing.account.customer, 1);
      });
      await Promise.all(tasks);
    }
    const behind = count - side.receiver.events.filter(isReceived).length;
    const endMs = nowMs();
    await arrival(side, isReceived, count);
    const received = side.receiver.events.filter(isReceived);
    const { faults, latenciesMs } = countReceived(written, received);
    const lastMs = Math.max(...received.map(({ atMs }) => atMs));
    return {
      count,
      faults,
      figures: {
        [`${label}P50Ms`]: percentile(latenciesMs, 0.5),
        [`${label}P99Ms`]: percentile(latenciesMs, 0.99),
        [`${label}Behind`]: behind,
        [`${label}BehindSeconds`]: Math.max(0, lastMs - endMs) / 1_000,
        [`${label}PerSecond`]: ratePerSecond(
          received.map(({ atMs }) => atMs),
          startedMs,
        ),
      },
    };
  });
}

/** The customers read everything that was sent to them, at an even pace. */
export async function readAll(side: MessagesSide, sent: readonly Sent[], perSecond: number): Promise<Figures> {
  const customers = customersOf(sent.map(({ account }) => account));
  const texts = new Set(sent.map(({ text }) => text));
  const shown = (
    await Promise.all(
      customers.map(async (customer) =>
        (await side.whatsApp.messages(customer))
          .filter(({ fromMe, text }) => !fromMe && texts.has(text))
          .map(({ id }) => ({ customer, id })),
      ),
    )
  ).flat();
  return await measured('read', side, async () => {
    const { tasks } = await pace({ perSecond, count: shown.length }, (number) => {
      const { customer, id } = at(shown, number);
      return side.whatsApp.read(customer, id);
    });
    await Promise.all(tasks);
    await arrival(side, ({ status }) => status === 'read', shown.length);
    const told = new Set(
      side.receiver.events.filter(({ status }) => status === 'read').map(({ messageId }) => messageId),
    );
    const lost = sent.filter(({ messageId }) => !told.has(messageId)).length;
    return { count: shown.length, faults: { lost, doubled: 0, outOfOrder: 0 }, figures: {} };
  });
}

/** Runs a phase and adds what it cost: CPU for each message, by process, and what was lost, doubled or out of order. */
async function measured(
  label: string,
  side: MessagesSide,
  run: (startedMs: number) => Promise<{ readonly count: number; readonly faults: Faults; readonly figures: Figures }>,
): Promise<Figures> {
  side.receiver.take();
  const before = side.processes();
  const driver = process.cpuUsage();
  const startedMs = nowMs();
  const { count, faults, figures } = await run(startedMs);
  const { user, system } = process.cpuUsage(driver);
  const spent = [...cpuBetween(before, side.processes()), ['driver', (user + system) / 1_000] as const];
  const seconds = (nowMs() - startedMs) / 1_000;
  side.receiver.take();
  const service = spent.filter(([name]) => isService(name)).reduce((sum, [, ms]) => sum + ms, 0);
  return {
    ...figures,
    [`${label}Count`]: count,
    [`${label}Seconds`]: seconds,
    [`${label}CpuMs`]: service / count,
    ...Object.fromEntries(spent.map(([name, ms]) => [`${label}CpuMs:${name}`, ms / count])),
    [`${label}Lost`]: faults.lost,
    [`${label}Doubled`]: faults.doubled,
    [`${label}OutOfOrder`]: faults.outOfOrder,
  };
}

/** How many there were in a second, until the last of them. */
function ratePerSecond(timesMs: readonly number[], startedMs: number): number {
  return (timesMs.length / (Math.max(...timesMs) - startedMs)) * 1_000;
}

async function sendOne(
  side: MessagesSide,
  account: LinkedAccount,
  text: string,
  { dueMs, sent, refusals }: { readonly dueMs: number; readonly sent: Sent[]; readonly refusals: Error[] },
): Promise<void> {
  try {
    const messageId = await side.send(account, text);
    sent.push({ account, text, messageId, dueMs, answeredMs: nowMs() });
  } catch (error) {
    refusals.push(error as Error);
  }
}

/** Says why the first was refused. Returns how many were. */
function tell(refusals: readonly Error[]): number {
  const [first] = refusals;
  if (first !== undefined)
    process.stderr.write(`  ${refusals.length} sends were not accepted; the first: ${first.message}\n`);
  return refusals.length;
}

/** What customers will write, sealed and left with their phones, in the order in which it is released. */
async function sealAhead(
  side: MessagesSide,
  accounts: readonly LinkedAccount[],
  label: string,
  count: number,
): Promise<readonly Written[]> {
  const written = Array.from({ length: count }, (_, number) => ({
    account: at(accounts, number % accounts.length),
    text: textOf(label, number),
    atMs: 0,
  }));
  await Promise.all(
    customersOf(accounts).map(async (customer) => {
      for (const { account, text } of written) {
        if (account.customer === customer) await side.whatsApp.writeAhead(customer, account.number, text);
      }
    }),
  );
  return written;
}

function customersOf(accounts: readonly LinkedAccount[]): readonly string[] {
  return [...new Set(accounts.map(({ customer }) => customer))];
}

/** Begins one task after the other at an even pace, and does not wait for any. */
async function pace<Value>(
  { perSecond, count }: { readonly perSecond: number; readonly count: number },
  begin: (number: number, dueMs: number) => Promise<Value>,
): Promise<{ readonly tasks: readonly Promise<Value>[] }> {
  const tasks: Promise<Value>[] = [];
  const startedMs = nowMs();
  while (tasks.length < count) {
    const dueMs = startedMs + (tasks.length * 1_000) / perSecond;
    const leftMs = dueMs - nowMs();
    if (leftMs > 0) await sleep(leftMs);
    const task = begin(tasks.length, dueMs);
    task.catch(() => undefined);
    tasks.push(task);
  }
  return { tasks };
}

/** Waits until that many events have come, or none has come for so long that the rest is lost. */
async function arrival(
  side: MessagesSide,
  fits: (event: { readonly type: string; readonly status: string }) => boolean,
  count: number,
  withinMs = DRAIN_MS,
): Promise<void> {
  const { receiver } = side;
  let [looked, found, lastMs] = [0, 0, nowMs()];
  const giveUpAtMs = lastMs + withinMs;
  while (found < count && nowMs() < giveUpAtMs && nowMs() - lastMs < SILENCE_MS) {
    await sleep(LOOK_EVERY_MS);
    for (; looked < receiver.events.length; looked += 1) {
      if (!fits(at(receiver.events, looked))) continue;
      found += 1;
      lastMs = nowMs();
    }
  }
}

async function atOnce(count: number, most: number, run: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await run(next - 1);
    }
  };
  await Promise.all(Array.from({ length: most }, lane));
}

export function at<Value>(values: readonly Value[], index: number): Value {
  const value = values[index];
  if (value === undefined) throw new Error(`there is no ${index} of ${values.length}`);
  return value;
}
