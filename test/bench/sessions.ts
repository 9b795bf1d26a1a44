/**
 * `npm run bench:sessions`: what a session store writes and reads for each thing that happens to a connection, through real
 * sockets: the product's beside plain Baileys with one item per key, under the same traffic in the same run. Units are
 * DynamoDB's. Exits 1 when a goal of the product is missed.
 */
import { cpus } from 'node:os';
import { BOB, SocketRoom } from '../worker/socket/socketRoom.ts';
import type { Costs } from './sessionCosts.ts';
import { ourSide, plainSide, type Side } from './sessionSides.ts';

const CONTACTS = 5;
const BURST = 40;
/** Pause between the messages of a lively chat. */
const LIVELY_MS = 250;
const ALTERNATIONS = 1_000;
const GROUP_MESSAGES = 1_000;
/** Longer than a step of receiving waits in memory. */
const SETTLE_MS = 2_500;
const PLAIN_NUMBER = '4915100000003';

interface Row {
  readonly what: string;
  readonly costs: Costs;
  /** How many times it happened. */
  readonly times: number;
}

interface Result {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly sessionBytes: number;
  readonly groupBytes: number;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const pause = (durationMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, durationMs));
const contact = (index: number): string => `49151000001${String(index).padStart(2, '0')}`;
const jidOf = (number: string): string => `${number}@s.whatsapp.net`;

const room = await SocketRoom.start();
await room.client.addPhone(PLAIN_NUMBER, 'Plain');
for (let index = 0; index < CONTACTS * 2; index += 1) await room.client.addPhone(contact(index), `Contact ${index}`);
const results = [await measure(ourSide(room)), await measure(plainSide(room, PLAIN_NUMBER))];
await room.stop();
print(results);
process.exitCode = judge(results[0]) ? 0 : 1;

async function measure(side: Side): Promise<Result> {
  const rows: Row[] = [];
  let received = 0;
  const row = async (what: string, times: number, work: () => Promise<void>): Promise<void> => {
    await work();
    await pause(SETTLE_MS);
    rows.push({ what, times, costs: side.meter.take() });
  };
  const receive = async (from: string, to: string = side.number): Promise<void> => {
    received += 1;
    await room.client.write(from, to, `in ${received}`);
    await side.received(received);
  };
  await row('pairing, with the first login', 1, side.pair);
  await row('login again', 3, async () => {
    for (let time = 0; time < 3; time += 1) await side.relogin();
  });
  await row('first message from a contact', CONTACTS, async () => {
    for (let index = 0; index < CONTACTS; index += 1) await receive(contact(index));
  });
  await row('first message to a contact', CONTACTS, async () => {
    for (let index = CONTACTS; index < CONTACTS * 2; index += 1) await side.send(jidOf(contact(index)), 'first');
  });
  await receive(BOB);
  await side.send(jidOf(BOB), 'hello');
  await receive(BOB);
  await pause(SETTLE_MS);
  side.meter.take();
  await row(`message received, one each ${LIVELY_MS} ms`, BURST, async () => {
    for (let index = 0; index < BURST; index += 1) {
      await receive(BOB);
      await pause(LIVELY_MS);
    }
  });
  await row('message received, alone', 2, async () => {
    await receive(BOB);
    await pause(SETTLE_MS);
    await receive(BOB);
  });
  await row('message sent', BURST, async () => {
    for (let index = 0; index < BURST; index += 1) await side.send(jidOf(BOB), `out ${index}`);
  });
  await row('sent and answered at once', ALTERNATIONS / 2, async () => {
    for (let turn = 0; turn < ALTERNATIONS / 2; turn += 1) {
      await side.send(jidOf(BOB), `turn ${turn}`);
      await receive(BOB);
    }
  });
  const sessionBytes = Math.max(0, ...sizesOf(side, /SIGNAL#|^session\//));
  const { id: group } = await room.client.addGroup(BOB, 'Bench', [side.number, contact(0), contact(1)]);
  await row('first message to a group', 1, () => side.send(group, 'first'));
  await row('message to a group', GROUP_MESSAGES, async () => {
    for (let index = 0; index < GROUP_MESSAGES; index += 1) await side.send(group, `group ${index}`);
  });
  await row('message from a group, after the first', BURST, async () => {
    await receive(contact(0), group);
    side.meter.take();
    for (let index = 0; index < BURST; index += 1) await receive(contact(0), group);
  });
  const groupBytes = Math.max(0, ...sizesOf(side, /SENDERKEY#|^sender-key\//));
  await side.close();
  return { name: side.name, rows, sessionBytes, groupBytes };
}

function sizesOf(side: Side, pattern: RegExp): readonly number[] {
  return [...side.meter.sizes].filter(([name]) => pattern.test(name)).map(([, bytes]) => bytes);
}

function print(sides: readonly Result[]): void {
  say(`${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}; per event, in DynamoDB's units\n`);
  for (const { name, rows, sessionBytes, groupBytes } of sides) {
    say(name);
    say(`  ${'event'.padEnd(42)} writes  write units    bytes   reads  read units`);
    for (const { what, costs, times } of rows) {
      const per = (count: number, digits = 2): string => (count / times).toFixed(digits);
      say(
        `  ${what.padEnd(42)} ${per(costs.writes).padStart(6)}  ${per(costs.writeUnits).padStart(11)}  ${per(costs.bytes, 0).padStart(7)}  ${per(costs.reads).padStart(6)}  ${per(costs.readUnits).padStart(10)}`,
      );
    }
    say(`  largest Signal session after ${ALTERNATIONS} alternations: ${sessionBytes} bytes`);
    say(`  largest sender key after ${GROUP_MESSAGES} messages to the group: ${groupBytes} bytes\n`);
  }
}

function judge(result: Result | undefined): boolean {
  if (result === undefined) return false;
  const unitsOf = (start: string): number => {
    const found = result.rows.find(({ what }) => what.startsWith(start));
    return found === undefined ? Infinity : found.costs.writeUnits / found.times;
  };
  const goals: readonly (readonly [goal: string, value: number, most: number])[] = [
    ['write units per message received in a lively chat', unitsOf('message received, one'), 0.5],
    ['write units per message sent', unitsOf('message sent'), 3],
    ['write units per pairing', unitsOf('pairing'), 80],
    ['bytes of the largest Signal session', result.sessionBytes, 1_024],
    ['bytes of the largest sender key', result.groupBytes, 2_048],
  ];
  for (const [goal, value, most] of goals) {
    say(`${value <= most ? 'holds ' : 'MISSED'}  ${goal}: ${Number(value.toFixed(2))} (at most ${most})`);
  }
  return goals.every(([, value, most]) => value <= most);
}
