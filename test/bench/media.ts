import { parseArgs } from 'node:util';
import { MB, measureFloor, measureParallel, measurePath, quantile } from './mediaMeasurement.ts';
import { MediaStage } from './mediaStage.ts';

/** `npm run bench:media`: how long files take from a phone to `media.ready`, and what they cost meanwhile. */
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, parallel: { type: 'string', default: '10' } },
});
const SIZES = [100 * 1_024, 5 * MB, 64 * MB] as const;
const LARGE = 64 * MB;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const round = (value: number, digits = 0): string => value.toFixed(digits);

const stage = await MediaStage.start();
try {
  say(
    '| file | phone → media.ready, s | CPU of the functions, ms | floor: opened alone, ms | bytes moved for each byte |',
  );
  say('| --- | --- | --- | --- | --- |');
  for (const bytes of SIZES) {
    const floorMs = await measureFloor(bytes);
    const { readyMs, cpuMs, movedPerByte } = await measurePath(stage, bytes, Number(values.rounds));
    say(
      `| ${round(bytes / MB, 1)} MB | ${round(readyMs / 1_000, 2)} | ${round(cpuMs)} | ${round(floorMs)} | ${round(movedPerByte, 2)} |`,
    );
  }
  const all = await measureParallel(stage, Number(values.parallel), LARGE);
  const [before, meanwhile] = [quantile(all.textsBefore, 0.99), quantile(all.textsMeanwhile, 0.99)];
  say(`\n${all.files} files of ${LARGE / MB} MB at once, with ten texts a second on the same connection:`);
  say(`all here after ${round(all.allReadyMs / 1_000, 1)} s`);
  say(`functions grew by ${round(all.functionsGrew / MB)} MB, the worker by ${round(all.workerGrew / MB)} MB`);
  say(`texts p50 / p99: ${round(quantile(all.textsBefore, 0.5))} / ${round(before)} ms without files,`);
  say(`${round(quantile(all.textsMeanwhile, 0.5))} / ${round(meanwhile)} ms while they came`);
  say(`left among temporary files: ${all.left.length === 0 ? 'nothing' : all.left.join(', ')}`);
} finally {
  await stage.stop();
}
