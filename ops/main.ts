/**
 * `npm run ops -- COMMAND`: operates a Holdfast, here or on AWS, through its API and its stores. What its exit codes mean
 * is in `runLine.ts`.
 */
import { environmentOver } from '../shared/platform/config.ts';
import { endWithReader } from '../shared/platform/endWithReader.ts';
import { runLine } from './runLine.ts';

endWithReader();
process.exitCode = await runLine(process.argv.slice(2), {
  environment: environmentOver({}),
  say: (line) => void process.stdout.write(`${line}\n`),
  complain: (line) => void process.stderr.write(`${line}\n`),
});
