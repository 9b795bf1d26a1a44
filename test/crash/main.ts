/** `npm run crash`: a worker dies before and after every call through a port, and a table of what that did. */
import { parseArgs } from 'node:util';
import { silenceConsole } from '../whatsapp/silenceConsole.ts';
import { holds, playAll, record, type Result } from './campaign.ts';
import { allPoints, type Point } from './points.ts';
import { moments } from './portWatch.ts';
import { Stage } from './runCrash.ts';
import { scenarios, type Scenario } from './scenarios.ts';
import { Site } from './site.ts';
import { complaint, rowsOf, tableOf } from './table.ts';

const USAGE = `npm run crash -- [--scenario NAME[,NAME]] [--call CALL] [--when before|after] [--in-process] [--width 4] [--list]

  --scenario    which scenarios; all if left out
  --call        one call: its number in the list of the recording, or its name, such as 'store Put SIGNAL#2'
  --when        before or after its effect; both if left out
  --in-process  workers are threads of this process that are stopped dead, instead of processes that are killed
  --width       accounts that are used side by side
  --list        only records, and lists the calls

scenarios:
${scenarios.map(({ name, what }) => `  ${name.padEnd(24)} ${what}`).join('\n')}
`;
/** More points than this share that no worker came to, and the run shows too little. */
const MOST_MISSED = 0.1;
const RECORDINGS = 2;
const DOTS_PER_LINE = 100;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
silenceConsole();
const options = readOptions();
const site = await Site.start(options.inProcess ? 'thread' : 'process', options.width);
/** What has been played so far: it is worth showing also when somebody ends the run. */
const played: Result[] = [];
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    say(`\n\n${tableOf(rowsOf(played))}\n\nended by ${signal} after ${played.length} points`);
    // The emulators are processes of their own and would stay.
    void site.stop().finally(() => process.exit(130));
  });
}
try {
  process.exitCode = (await run()) ? 0 : 1;
} catch (error) {
  say((error as Error).message);
  process.exitCode = 1;
} finally {
  await site.stop();
}

/** Whether everything holds. */
async function run(): Promise<boolean> {
  const startedMs = performance.now();
  const points = await recordAll();
  if (options.isList) return true;
  if (points.length === 0) throw new Error('No recorded call fits --call.');
  const kind = options.inProcess ? 'threads that are stopped dead' : 'processes that kill themselves with SIGKILL';
  say(`${points.length} points; workers are ${kind}`);
  const results = await playAll(site, scenarios, points, options.width, (result) => {
    if (!holds(result)) say(`\n${complaint(result)}`);
    played.push(result);
    process.stdout.write(dotOf(result));
    if (played.length % DOTS_PER_LINE === 0) say(` ${played.length}`);
  });
  const missed = results.filter(({ run }) => run?.outcome === 'missed');
  const isShown = missed.length <= Math.max(1, points.length * MOST_MISSED);
  say(`\n\n${tableOf(rowsOf(results))}\n`);
  for (const result of results) if (!holds(result)) say(complaint(result));
  if (!isShown) say(`too many points were missed: ${missed.length} of ${points.length}`);
  say(`${((performance.now() - startedMs) / 1_000).toFixed(0)} s`);
  return isShown && results.every(holds);
}

/** Records each scenario, and gives the points that were asked for. */
async function recordAll(): Promise<readonly Point[]> {
  const stage = new Stage(site);
  const points: Point[] = [];
  try {
    for (const scenario of options.scenarios) {
      const calls = await record(stage, scenario, RECORDINGS);
      say(`${scenario.name}: ${calls.length} calls (${scenario.what})`);
      if (options.isList) for (const [index, call] of calls.entries()) say(`  ${index + 1}  ${call}`);
      points.push(...allPoints(scenario.name, wantedOf(calls)));
    }
  } finally {
    await stage.stop();
  }
  return points.filter(({ plan }) => options.when === undefined || plan.when === options.when);
}

function wantedOf(calls: readonly string[]): readonly string[] {
  if (options.call === undefined) return calls;
  const numbered = /^\d+$/.test(options.call) ? calls[Number(options.call) - 1] : options.call;
  return numbered === undefined ? [] : [numbered];
}

function dotOf(result: Result): string {
  if (!holds(result)) return 'X';
  return result.run?.outcome === 'missed' ? '-' : '.';
}

interface Options {
  readonly scenarios: readonly Scenario[];
  readonly call: string | undefined;
  readonly when: (typeof moments)[number] | undefined;
  readonly inProcess: boolean;
  readonly isList: boolean;
  readonly width: number;
}

function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        scenario: { type: 'string' },
        call: { type: 'string' },
        when: { type: 'string' },
        'in-process': { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        width: { type: 'string', default: '4' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      say(USAGE);
      return process.exit(0);
    }
    const when = moments.find((moment) => moment === values.when);
    if (values.when !== undefined && when === undefined) throw new Error('--when must be before or after.');
    const width = Number(values.width);
    if (!Number.isInteger(width) || width < 1 || width > 16) throw new Error('--width must be from 1 to 16.');
    const wanted = values.scenario?.split(',') ?? scenarios.map(({ name }) => name);
    const unknown = wanted.find((name) => scenarios.every((scenario) => scenario.name !== name));
    if (unknown !== undefined) throw new Error(`There is no scenario ${unknown}.`);
    return {
      scenarios: scenarios.filter(({ name }) => wanted.includes(name)),
      call: values.call,
      when,
      inProcess: values['in-process'],
      isList: values.list,
      width,
    };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    return process.exit(1);
  }
}
