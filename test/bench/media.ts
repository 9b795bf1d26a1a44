import { parseArgs } from 'node:util';
import {
  MB,
  measureFloor,
  measureParallel,
  measureParallelFloor,
  measureParallelOut,
  measurePath,
  type ParallelFigures,
} from './mediaMeasurement.ts';
import { MediaStage } from './mediaStage.ts';
import { round, say, sayBeside } from './sayBeside.ts';

/** `npm run bench:media`: how long files take from a phone to `media.ready`, and what they cost meanwhile. */
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, parallel: { type: 'string', default: '10' } },
});
const SIZES = [100 * 1_024, 5 * MB, 64 * MB] as const;
const LARGE = 64 * MB;

const stage = await MediaStage.start();
try {
  // The process of the media function is there with the first file.
  await stage.fileOf((await stage.sendFile(1_024, 0)).stanzaId);
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
  const files = Number(values.parallel);
  show('pass between two phones (the floor)', await measureParallelFloor(stage, files, LARGE));
  show('come', await measureParallel(stage, files, LARGE));
  show('go', await measureParallelOut(stage, files, LARGE));
} finally {
  await stage.stop();
}

function show(how: string, all: ParallelFigures): void {
  say(`\n${all.files} files of ${LARGE / MB} MB ${how} at once, with texts both ways on the same connection:`);
  sayBeside(all);
}
