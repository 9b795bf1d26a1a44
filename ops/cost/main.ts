/**
 * `npm run cost -- --connections 1000 [--shape small] [--messages-per-day 130] [--any-assumption N]`: prints what a stage
 * costs in a month by one model, with all of the model's assumptions. The exit code is 2, with one sentence, when the
 * input is wrong.
 */
import { parseArgs } from 'node:util';
import { BadInput, toBadInput } from '../sentence.ts';
import { shapeNames, type ShapeName } from '../../infra/settings/shapes.ts';
import { endWithReader } from '../../shared/platform/endWithReader.ts';
import { assumptions, defaultFigures, type AssumptionName, type Figures } from './assumptions.ts';
import { figuresFor, madeFor, shapeOf } from './deployedShape.ts';
import { billFor } from './model.ts';
import { flagOf, showBill } from './show.ts';

const USAGE = `npm run cost -- --connections N [--messages-per-day M] [--ASSUMPTION N …]
npm run cost -- --shape ${shapeNames.join('|')} [--connections N] [--messages-per-day M] [--ASSUMPTION N …]

  --shape              as that shape deploys it, with the connections that it is made for if none are named
                       (${shapeNames.map((name) => madeFor[name].toLocaleString('en')).join(', ')}); left out: the shape that fits them
  --messages-per-day   of one connection, received and sent in the usual proportion
  every line of the table of assumptions is a flag too
`;
const names = Object.keys(assumptions) as AssumptionName[];

endWithReader();
try {
  const texts = readFlags(process.argv.slice(2));
  if ('help' in texts) process.stdout.write(USAGE);
  else {
    const named = shapeIn(texts);
    const connections = numberOf(texts, 'connections', { isWhole: true }) ?? (named && madeFor[named]);
    if (connections === undefined) throw new BadInput('Say how many: --connections N, or --shape small.');
    const shape = named ?? shapeOf(connections);
    const deployed = figuresFor(connections, shape);
    const figures = figuresOf(texts, deployed);
    const bill = billFor(connections, figures);
    for (const line of showBill(bill, figures, { shape, deployed })) process.stdout.write(`${line}\n`);
  }
} catch (error) {
  if (!(error instanceof BadInput)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

function readFlags(words: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const flags = ['connections', 'shape', 'messages-per-day', ...names.map((name) => flagOf(name).slice(2))];
  try {
    return parseArgs({
      args: [...words],
      options: {
        ...Object.fromEntries(flags.map((flag) => [flag, { type: 'string' }] as const)),
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw toBadInput(error);
  }
}

function shapeIn({ shape }: ReturnType<typeof readFlags>): ShapeName | undefined {
  const known = shapeNames.find((name) => name === shape);
  if (shape === undefined || known !== undefined) return known;
  throw new BadInput(`--shape must be ${shapeNames.join(', ')}, not "${String(shape)}".`);
}

function figuresOf(texts: ReturnType<typeof readFlags>, deployed: Figures): Figures {
  const perDay = numberOf(texts, 'messages-per-day', { isWhole: false });
  const { receivedPerDay, sentPerDay } = defaultFigures;
  const usual = receivedPerDay + sentPerDay;
  const traffic =
    perDay === undefined
      ? {}
      : { receivedPerDay: (perDay * receivedPerDay) / usual, sentPerDay: (perDay * sentPerDay) / usual };
  const given = names.flatMap((name) => {
    const value = numberOf(texts, flagOf(name).slice(2), { isWhole: false });
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...deployed, ...traffic, ...Object.fromEntries(given) };
}

/**
 * A number of at least 0, or a whole number of at least 1 where that is asked for; undefined when the flag is not
 * given.
 */
function numberOf(
  texts: ReturnType<typeof readFlags>,
  flag: string,
  { isWhole }: { readonly isWhole: boolean },
): number | undefined {
  const text = texts[flag];
  if (text === undefined) return undefined;
  const value = Number(text);
  const isFine =
    text !== '' && Number.isFinite(value) && (isWhole ? Number.isInteger(value) && value >= 1 : value >= 0);
  if (isFine) return value;
  throw new BadInput(
    `--${flag} must be ${isWhole ? 'a whole number from 1' : 'a number from 0'}, not "${String(text)}".`,
  );
}
