import { parseArgs } from 'node:util';
import { measureBeside } from './mediaMeasurement.ts';
import { MediaStage, SHOP } from './mediaStage.ts';
import { round, say, sayBeside } from './sayBeside.ts';

/**
 * `npm run bench:history`: a phone gives a history in parts, and people write meanwhile: how long it takes, what the processes grow by, and what
 * texts of the same connection lose beside it.
 */
const { values } = parseArgs({
  options: { chats: { type: 'string', default: '500' }, messages: { type: 'string', default: '100' } },
});
const PARTS = 5;
/** A history that is there before starts the process for files; of this type nothing is kept. */
const WARM = { type: 'full', made: { chats: 2, messages: 10, firstChat: 9_000 } } as const;

const [chats, messages] = [Number(values.chats), Number(values.messages)];
const stage = await MediaStage.start();
try {
  await stage.phones.tellHistory(SHOP, WARM);
  await isDone('full');
  const before = await stored();
  const figures = await measureBeside(stage, async () => {
    for (let part = 0; part < PARTS; part += 1) {
      const made = { chats: Math.ceil(chats / PARTS), messages, firstChat: part * Math.ceil(chats / PARTS) };
      const progress = Math.floor((100 * (part + 1)) / PARTS);
      await stage.phones.tellHistory(SHOP, { type: 'recent', chunk: part + 1, progress, made });
    }
    await isDone('recent');
  });
  const taken = (await stored()) - before;
  say(
    `A history of ${taken} messages in ${chats} chats comes in ${PARTS} parts, with texts both ways on the same connection:`,
  );
  say(`${round((taken * 1_000) / figures.allMs)} messages of it a second`);
  sayBeside(figures);
} finally {
  await stage.stop();
}

async function isDone(type: string): Promise<void> {
  await stage.event(
    `that the history of type ${type} is there`,
    (event) => event.type === 'history.done' && event.data['type'] === type,
  );
}

async function stored(): Promise<number> {
  const { counts } = await stage.api.must('GET', `/v1/connections/${stage.connection}/sync`);
  return (counts as { readonly stored: number }).stored;
}
