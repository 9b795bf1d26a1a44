import { expect, it } from 'vitest';
import { until } from '../../infra/local/until.ts';
import type { PairedStack } from './pairedStack.ts';

const SHOP = '4915100000001';
const ANN = '4915100000002';

type Json = Readonly<Record<string, unknown>>;

/** Cases of the people whom a connection knows, through every process of a stack that another test has started. */
export function contactCases(stage: () => PairedStack): void {
  it('knows who writes, under both of their addresses, and tells what changes of them', async () => {
    const { api, phones, receiver, connection } = stage();
    const contacts = `/v1/connections/${connection}/contacts`;
    const changed = (isWanted: (data: Json) => boolean) =>
      until(
        'contact.updated',
        () => receiver.events.find(({ type, data }) => type === 'contact.updated' && isWanted(data)),
        (found) => found !== undefined,
      ) as Promise<{ readonly data: Json }>;
    await phones.write(ANN, SHOP, 'hello');
    const known = await until(
      'Ann among the contacts',
      () => api.call('GET', `${contacts}/${encodeURIComponent(`+${ANN}`)}`),
      ({ status }) => status === 200,
    );
    const ann = known.json;
    expect(ann).toMatchObject({ phoneNumber: `+${ANN}`, names: { push: ANN }, country: 'DE' });
    expect(ann['id']).toBe(ann['lid']);
    expect(await api.must('GET', `${contacts}/${encodeURIComponent(String(ann['lid']))}`)).toEqual(ann);

    await phones.files.setPicture(ANN, Buffer.from('a picture of Ann'));
    const picture = await changed(({ pictureId }) => typeof pictureId === 'string');
    await phones.changeAppState(SHOP, {
      collection: 'critical_unblock_low',
      changes: [{ index: ['contact', `${ANN}@s.whatsapp.net`], value: { contactAction: { fullName: 'Ann Example' } } }],
    });
    const saved = await changed(({ names }) => (names as Json | undefined)?.['saved'] === 'Ann Example');

    expect([picture.data['contact'], saved.data['contact']]).toMatchObject([{ id: ann['id'] }, { id: ann['id'] }]);
    const { data } = await until(
      'both on the contact',
      () => api.must('GET', `${contacts}?search=example`),
      ({ data: found }) => (found as readonly Json[]).some(({ pictureId }) => pictureId === picture.data['pictureId']),
    );
    expect(data).toMatchObject([{ id: ann['id'], names: { push: ANN, saved: 'Ann Example' } }]);
  });
}
