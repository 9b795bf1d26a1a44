/** `npm run contract`: what the product calls, against what its roles are allowed. Exits 1 when they do not agree. */
import { explanations } from './explanations.ts';
import { runContract } from './contractRun.ts';
import { reportLines } from './report.ts';

const startedMs = performance.now();
const say = (line: string): void => {
  process.stdout.write(`${((performance.now() - startedMs) / 1_000).toFixed(1).padStart(6)} s  ${line}\n`);
};

const ledger = await runContract(say);
const verdict = ledger.judge(explanations);
say(`${ledger.calls} calls recorded`);
for (const line of reportLines(verdict)) process.stdout.write(`${line}\n`);
const { notAllowed, unexplained, wrongExplanations } = verdict;
process.exit(notAllowed.size + unexplained.length + wrongExplanations.length === 0 ? 0 : 1);
