/**
 * `npm run prove [-- --sample] [--list] [NAME …]`: proofs that take too long for every change, one after the other where they
 * need the machine for themselves and two at a time where they mostly wait. Prints a table at the end, and exits 1 when one
 * does not hold. `--sample` is what CI runs after `npm test`: the same at each run.
 */
import { parseArgs } from 'node:util';
import { endWithReader } from '../shared/platform/endWithReader.ts';
import { findSecrets } from '../test/quiet/findSecrets.ts';
import { commandOf, type Proof } from './proof.ts';
import { proofs } from './proofs.ts';
import { plain, runCommand } from './runCommand.ts';

interface Verdict {
  readonly proof: Proof;
  readonly cases: string;
  readonly seconds: number;
  readonly verdict: 'holds' | 'DOES NOT HOLD';
}

const AT_ONCE = 2;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

endWithReader();
const { values, positionals } = parseArgs({
  options: { sample: { type: 'boolean', default: false }, list: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => proofs.every((proof) => proof.name !== name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no proof ${unknown.join(', ')}. These are: ${proofs.map(({ name }) => name).join(', ')}\n`,
  );
  process.exit(2);
}
const wanted = proofs.filter(
  (proof) =>
    (positionals.length === 0 || positionals.includes(proof.name)) && commandOf(proof, values.sample) !== undefined,
);

if (values.list) {
  for (const proof of wanted) say(`${proof.name.padEnd(16)} ${commandOf(proof, values.sample)?.join(' ')}`);
} else {
  const verdicts: Verdict[] = [];
  const beside = wanted.filter(({ place }) => place === 'beside').values();
  const proveOn = async (): Promise<void> => {
    for (const proof of beside) verdicts.push(await prove(proof));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, proveOn));
  for (const proof of wanted.filter(({ place }) => place === 'alone')) verdicts.push(await prove(proof));

  say(`\n${'proof'.padEnd(16)}${'cases'.padStart(8)}${'seconds'.padStart(9)}  verdict`);
  for (const { proof, cases, seconds, verdict } of verdicts) {
    say(`${proof.name.padEnd(16)}${cases.padStart(8)}${seconds.toFixed(0).padStart(9)}  ${verdict}`);
  }
  process.exitCode = verdicts.length > 0 && verdicts.every(({ verdict }) => verdict === 'holds') ? 0 : 1;
}

/** Runs one. What it prints is shown if it does not hold, and searched for secrets either way. */
async function prove(proof: Proof): Promise<Verdict> {
  const [program, ...args] = commandOf(proof, values.sample) ?? proof.whole;
  say(`prove: ${proof.name} begins`);
  const startedMs = performance.now();
  const { code, printed } = await runCommand(program === 'node' ? process.execPath : program, args, false);
  const seconds = (performance.now() - startedMs) / 1_000;
  const findings = findSecrets(plain(printed));
  const holds = code === 0 && findings.length === 0;
  if (!holds) say(printed);
  for (const { kind, line } of findings) say(`prove: ${proof.name} printed a ${kind} in line ${line}`);
  say(`prove: ${proof.name} ${holds ? 'holds' : 'DOES NOT HOLD'}, ${seconds.toFixed(0)} s`);
  const cases =
    proof.cases
      .exec(plain(printed))
      ?.slice(1)
      .find((number) => number !== undefined) ?? '?';
  return { proof, cases, seconds, verdict: holds ? 'holds' : 'DOES NOT HOLD' };
}
