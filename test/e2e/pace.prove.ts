import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiClient } from '../../infra/local/apiClient.ts';
import { waitUntilOnline } from '../../infra/local/pairing.ts';
import { until } from '../../infra/local/until.ts';
import type { WhatsAppClient } from '../whatsapp/client.ts';
import { startPacedStack, type PairedStack } from './pairedStack.ts';

const SHOP = '4915100000041';
/** Writes to the shop, and so is no stranger. */
const CUSTOMER = '4915100000042';
/** Is written to before anything is restricted. */
const KNOWN = '4915100000043';
const STRANGERS = ['4915100000044', '4915100000045', '4915100000046', '4915100000047'] as const;
const PATIENCE_MS = 60_000;

describe('the pace of a connection, through every process of the embedded stack', () => {
  let stage: PairedStack;
  let phones: WhatsAppClient;
  let api: ApiClient;
  let shop = '';
  beforeAll(async () => {
    stage = await startPacedStack(SHOP, CUSTOMER, KNOWN, ...STRANGERS);
    ({ phones, api, connection: shop } = stage);
    await api.must('PATCH', `/v1/connections/${shop}`, {
      settings: { pace: { firstContactsPerDay: 3 } },
    });
  });
  afterAll(() => stage.stop());

  const send = async (to: string, text: string): Promise<string> => {
    const body = { to: `+${to}`, type: 'text', text: { body: text } };
    return String((await api.must('POST', `/v1/connections/${shop}/messages`, body))['id']);
  };
  const message = (id: string) => api.must('GET', `/v1/connections/${shop}/messages/${id}`);
  const reaches = (id: string, status: string) =>
    until(
      `${id} being ${status}`,
      () => message(id),
      (found) => found['status'] === status,
      PATIENCE_MS,
    );
  const pace = async () => (await api.must('GET', `/v1/connections/${shop}`))['pace'] as Record<string, unknown>;
  const shows = (code: string | undefined) =>
    until(
      `the pace showing ${code}`,
      pace,
      (shown) => (shown['wait'] as Record<string, unknown> | undefined)?.['code'] === code,
      PATIENCE_MS,
    );
  const texts = async (number: string) =>
    (await phones.messages(number)).filter(({ fromMe }) => !fromMe).map(({ text }) => text);
  /** The reasons that the tenant's webhook was told, in their order. */
  const told = async () =>
    stage.receiver.events.flatMap(({ type, data }) =>
      type === 'connection.pace' ? [(data['wait'] as Record<string, unknown> | undefined)?.['code'] ?? 'none'] : [],
    );
  const [first, second, third, fourth] = STRANGERS;

  it('writes to no new contact after a 463, also after a restart and on another address, while existing chats go on', async () => {
    await phones.write(CUSTOMER, SHOP, 'are you open?');
    await until(
      'the question',
      () => Promise.resolve(stage.receiver.events),
      (events) => events.some(({ type }) => type === 'message.received'),
    );
    await reaches(await send(KNOWN, 'hello'), 'delivered');
    await phones.fault({ kind: 'refuse_first_contacts', code: 463, number: SHOP });

    const refused = await reaches(await send(first, 'refused'), 'failed');
    const shown = await shows('first_contacts_restricted');
    const held = await send(second, 'held');
    const heldToo = await send(first, 'held as well');
    await reaches(await send(CUSTOMER, 'yes, until six'), 'delivered');
    await reaches(await send(KNOWN, 'still here'), 'delivered');
    await reaches(held, 'parked');
    await stage.stack.replaceWorker(0, 'SIGKILL');
    await waitUntilOnline(api, shop);
    const afterwards = await send(third, 'held after a restart');
    await reaches(await send(CUSTOMER, 'and tomorrow'), 'delivered');
    await reaches(await send(KNOWN, 'and here again'), 'delivered');
    await reaches(afterwards, 'parked');

    expect(refused['error']).toMatchObject({ code: 'refused_restricted', whatsappCode: 463 });
    expect(shown['wait']).toMatchObject({ state: 'first_contacts_wait' });
    expect(Date.parse(String((shown['wait'] as Record<string, unknown>)['until']))).toBeGreaterThan(
      Date.now() + 3_000_000,
    );
    const waits = { code: 'first_contacts_restricted', until: (shown['wait'] as Record<string, unknown>)['until'] };
    expect(await message(heldToo)).toMatchObject({ status: 'parked', waits });
    // This one may have come while nothing could leave: then it is known when the rows were looked at.
    const listed = async () =>
      ((await api.must('GET', `/v1/connections/${shop}/messages`))['data'] as Record<string, unknown>[]).find(
        ({ id }) => id === afterwards,
      );
    await until(
      'the reason',
      listed,
      (found) => (found?.['waits'] as Record<string, unknown> | undefined)?.['code'] === waits.code,
      PATIENCE_MS,
    );
    expect(await told()).toEqual(['first_contacts_restricted']);
    expect(await Promise.all(STRANGERS.map(texts))).toEqual([[], [], [], []]);
    expect((await phones.stats()).refusedFirstContacts).toEqual({ [SHOP]: 1 });
  }, 180_000);

  it('lets go what waits, in its order, when WhatsApp lifts the lock, and holds the rest at the end of the budget', async () => {
    await phones.clearFaults();
    await phones.strike({
      kind: 'tell_limit',
      limit: 'time_lock',
      isActive: true,
      endsInSeconds: 86_400,
      number: SHOP,
    });
    const locked = await shows('first_contacts_time_locked');
    await phones.strike({ kind: 'tell_limit', limit: 'time_lock', isActive: false, number: SHOP });

    // Three of a day: one that was refused, one to the known contact before that, and one of those that waited.
    const usedUp = await shows('first_contacts_used_up');
    const onceMore = await send(fourth, 'not today');
    await reaches(onceMore, 'parked');
    await reaches(await send(CUSTOMER, 'good night'), 'delivered');

    expect(Date.parse(String((locked['wait'] as Record<string, unknown>)['until']))).toBeGreaterThan(
      Date.now() + 80_000_000,
    );
    expect(usedUp['firstContacts']).toEqual({ used: 3, limit: 3 });
    expect((await Promise.all(STRANGERS.map(texts))).flat()).toHaveLength(1);
    await api.must('PATCH', `/v1/connections/${shop}`, { settings: { pace: { firstContactsPerDay: 100 } } });
    await reaches(onceMore, 'delivered');
    expect(await Promise.all(STRANGERS.map(texts))).toEqual([
      ['held as well'],
      ['held'],
      ['held after a restart'],
      ['not today'],
    ]);
    expect(await shows(undefined)).toMatchObject({ firstContacts: { used: 6, limit: 100 } });
    const changes = await until('the end being told', told, (codes) => codes.at(-1) === 'none', PATIENCE_MS);
    expect(changes[0]).toBe('first_contacts_restricted');
    expect(changes).toContain('first_contacts_time_locked');
    expect(changes.slice(-2)).toEqual(['first_contacts_used_up', 'none']);
  }, 180_000);
});
