import { join } from 'node:path';
import { plain, runCommand } from '../../scripts/runCommand.ts';
import { judged, skipped, type Judge, type Judgement, type JudgeRoom } from './judgement.ts';
import { folderOf, versionOf, type CarriedTool } from './tools.ts';

/** Carries Amazon's DynamoDB Local 1.25 as it is; nothing else of the package is used. */
const CARRIER: CarriedTool = {
  name: 'amplify-dynamodb-simulator',
  version: '2.9.30',
  integrity: 'sha512-xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ==',
};
/** Tests of everything that reads and writes tables: the contract that fake and emulator are held to, and all stores. */
const STORES = [
  'test/simulation/aws/emulatedDynamoDb.test.ts',
  'test/emulators',
  'test/shared',
  'test/functions',
  'test/worker/fleet',
  'test/worker/session',
  'test/worker/sending',
  'test/worker/facts',
  'test/worker/ecsTask.test.ts',
] as const;
/** Two files run side by side, with more time: each store there is a process of Java, and some times slower. */
const SLOWER = ['--maxWorkers=2', '--testTimeout=120000', '--hookTimeout=120000'] as const;
/** The lines of a run that say what failed, and why. */
const FAILURE = /^(?: FAIL |This error originated in |\w*Error: )/;

/** The same tests as every day, on a store that shares no code with the one of every day. */
export const storesOnDynamoDbLocal: Judge = {
  name: 'stores',
  what: "the contract of the store and the tests of all stores, on Amazon's DynamoDB Local",
  run: (room) =>
    onDynamoDbLocal(room, async (folder) => {
      const { code, printed } = await runCommand('vitest', ['run', ...STORES, ...SLOWER], false, {
        HOLDFAST_DYNAMODB_LOCAL: folder,
      });
      const lines = plain(printed).split('\n');
      // What nobody handled fails the run as well, and is told behind the failures.
      const failed = [...new Set(lines.filter((line) => FAILURE.test(line)))];
      const tests =
        lines
          .find((line) => /^ +Tests /.test(line))
          ?.trim()
          .replaceAll(/ +/g, ' ') ?? 'no test ran';
      return judged(code === 0 ? failed : [...failed, `vitest ended with ${code}`], tests, room);
    }),
};

export const demoOnDynamoDbLocal: Judge = {
  name: 'demo',
  what: "npm run demo, on Amazon's DynamoDB Local",
  run: (room) =>
    onDynamoDbLocal(room, async (folder) => {
      const { code, printed } = await runCommand(
        process.execPath,
        ['infra/local/demo.ts', '--dynamodb-local', folder],
        false,
      );
      const totals = plain(printed)
        .split('\n')
        .filter((line) => /^ {10}(?:accepted|received|duplicates|lost) /.test(line));
      const figures = totals.map((line) => line.trim().replaceAll(/ +/g, ' ')).join(', ');
      return judged(code === 0 ? [] : plain(printed).trimEnd().split('\n').slice(-20), figures, room);
    }),
};

async function onDynamoDbLocal(room: JudgeRoom, judge: (folder: string) => Promise<Judgement>): Promise<Judgement> {
  if ((await versionOf('java', '-version')) === undefined) {
    return skipped('There is no Java runtime: java -version does not answer.');
  }
  const carrier = process.env['HOLDFAST_DYNAMODB_LOCAL'] ?? (await folderOf(CARRIER, room.mayFetch));
  if (carrier === undefined) {
    return skipped(
      "Amazon's DynamoDB Local is not here: name its folder in HOLDFAST_DYNAMODB_LOCAL, or npm run judge -- --fetch brings it.",
    );
  }
  return judge(process.env['HOLDFAST_DYNAMODB_LOCAL'] === undefined ? join(carrier, 'emulator') : carrier);
}
