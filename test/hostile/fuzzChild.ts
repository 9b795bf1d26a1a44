/** Child process of `npm run fuzz`: brings lots through in this process, one after the other, and tells of each. */
import { parseArgs } from 'node:util';
import { figuresOf } from './fuzzReport.ts';
import { Passage } from './inProcess.ts';
import { drawLot, LOT } from './plaintexts.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
    step: { type: 'string', default: '1' },
    cases: { type: 'string', default: '0' },
  },
});
const [seed, first, step, cases] = [values.seed, values.first, values.step, values.cases].map(Number) as [
  number,
  number,
  number,
  number,
];

for (let lot = first; lot * LOT < cases; lot += step) {
  // A world of its own for each: it holds all that was ever recorded in it.
  const passage = new Passage();
  await passage.bring(drawLot(seed, lot, Math.min(LOT, cases - lot * LOT)));
  process.send?.(figuresOf(passage.outcome(), lot));
}
process.disconnect?.();
