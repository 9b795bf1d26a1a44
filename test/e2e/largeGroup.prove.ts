import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silenceConsole } from '../whatsapp/silenceConsole.ts';
import { until } from '../whatsapp/until.ts';
import { startPairedStack, type PairedStack } from './pairedStack.ts';

silenceConsole();

const SHOP = '4915100000001';
/** The most members that a group has, the account among them. */
const MEMBERS = 1_024;
const NEW = ['4915100000002', '4915100000003'] as const;
const numbers = Array.from({ length: MEMBERS - 1 }, (_, index) => String(4_916_000_000_000 + index));
const LEAVING = numbers.slice(0, 5);
const STAYING = numbers.slice(5);
const ADDED_AT_ONCE = 16;
const PATIENCE_MS = 1_200_000;
const LOOK_EVERY_MS = 1_000;

describe('a group of 1,024 people', { timeout: 3_600_000 }, () => {
  let stage: PairedStack;
  let group = '';
  const texts: string[] = [];

  beforeAll(async () => {
    stage = await startPairedStack(SHOP, ...NEW);
    for (let from = 0; from < numbers.length; from += ADDED_AT_ONCE) {
      const some = numbers.slice(from, from + ADDED_AT_ONCE);
      await Promise.all(some.map((number) => stage.phones.addPhone(number, `Member ${number.slice(-4)} 😀`)));
    }
    group = (await stage.phones.addGroup(SHOP, 'Everybody 🎉', numbers)).id;
  }, PATIENCE_MS);
  afterAll(() => stage.stop());

  const send = async (text: string): Promise<string> => {
    texts.push(text);
    const path = `/v1/connections/${stage.connection}/messages`;
    return String((await stage.api.must('POST', path, { to: group, type: 'text', text: { body: text } }))['id']);
  };
  /** Asks again where no answer comes in time: a thousand phones that read keep the process of the simulator busy. */
  const patiently = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if ((error as Error).name !== 'TimeoutError') throw error;
      }
    }
  };
  /** Asks until it is done: WhatsApp and a thousand phones share the machine, and answer late while these read. */
  const change = async (how: 'add' | 'remove', people: readonly string[]): Promise<void> => {
    const path = `/v1/connections/${stage.connection}/groups/${group}/participants/${how}`;
    await until(
      `${how} to be done`,
      async () => {
        const asked = { participants: people.map((number) => `+${number}`) };
        const { id } = await patiently(() => stage.api.must('POST', path, asked));
        return until(
          `the end of ${how}`,
          async () => (await patiently(() => stage.api.must('GET', `/v1/actions/${String(id)}`)))['state'],
          (state) => state === 'succeeded' || state === 'failed',
          PATIENCE_MS,
          LOOK_EVERY_MS,
        );
      },
      (state) => state === 'succeeded',
      PATIENCE_MS,
      LOOK_EVERY_MS,
    );
  };
  const shown = async (number: string): Promise<readonly string[]> =>
    (await patiently(() => stage.phones.messages(number))).filter(({ chat }) => chat === group).map(({ text }) => text);
  /** Waits until each of some phones shows these texts, one phone after the other: a phone that shows them is not asked again. */
  const allShow = async (people: readonly string[], wanted: readonly string[]): Promise<void> => {
    for (const number of people) {
      await until(
        `all messages at member ${number.slice(-4)}`,
        () => shown(number),
        (seen) => wanted.every((text) => seen.includes(text)),
        PATIENCE_MS,
        LOOK_EVERY_MS,
      );
    }
  };

  it('reads what is sent to it, and says so', async () => {
    const messageId = await send('for everybody 👩🏽‍🚀');
    await allShow(numbers, texts);

    const { members } = await until(
      'the receipts of all',
      () => stage.api.must('GET', `/v1/connections/${stage.connection}/messages/${messageId}/receipts`),
      (answer) => (answer['members'] as { readonly delivered: number }).delivered === numbers.length,
      PATIENCE_MS,
      LOOK_EVERY_MS,
    );

    expect(members).toMatchObject({ total: numbers.length, delivered: numbers.length });
  });

  it('loses nothing while people come and go, and who has gone reads nothing that follows', async () => {
    await send('before anybody goes');
    await change('remove', LEAVING);
    const untilHere = [...texts];
    await send('for those who are left');
    await change('add', NEW);
    const behind = texts.length;
    for (const turn of [1, 2]) await send(`for the new ones, too ${turn}`);
    const forNew = texts.slice(behind);
    await allShow([...STAYING, ...NEW], forNew);

    for (const number of STAYING) expect(await shown(number)).toEqual(texts);
    for (const number of NEW) expect((await shown(number)).filter((text) => forNew.includes(text))).toEqual(forNew);
    for (const number of LEAVING) expect(untilHere).toEqual(expect.arrayContaining([...(await shown(number))]));
    // A member who has just come may be sent a message that was sealed before, and cannot read that one.
    for (const number of STAYING) expect(await patiently(() => stage.phones.failures(number))).toEqual([]);
    const { reusedKeys, duplicates, internalErrors } = await patiently(() => stage.phones.stats());
    expect({ reusedKeys, duplicates, internalErrors }).toEqual({ reusedKeys: 0, duplicates: 0, internalErrors: [] });
  });
});
