import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { WhatsAppClient } from './client.ts';
import { PlainAccount, pairByQr, textsOf } from './plainSocket.ts';
import { loadWorld, SavedState } from './savedState.ts';
import { silenceConsole } from './silenceConsole.ts';
import { startWhatsApp } from './simulator.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

silenceConsole();
const ANN = '4915100000001';
const BOB = '4915100000002';
const CAT = '4915100000003';

/** All that must survive, in a form that can be compared. */
function contentsOf({ keys, accounts, groups }: World) {
  const described = [...accounts.values()].map(({ phone, devices, ...account }) => {
    const { values, ...saved } = phone.save();
    const kept = Object.entries(values).filter(([, stored]) => Object.keys(stored).length > 0);
    const linked = [...devices.values()].map(({ pending, ...device }) => ({
      ...device,
      pending: pending.map(({ stanza }) => stanza),
    }));
    const appState = account.appState.record;
    return { ...account, ...saved, values: Object.fromEntries(kept), linked, appState };
  });
  return { keys, described, groups: [...groups.values()] };
}

it('a world is loaded as it was left, whatever happened in it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'whatsapp-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const whatsApp = await startWhatsApp({ stateDir: folder });
  const client = new WhatsAppClient(whatsApp.controlUrl);
  for (const number of [ANN, BOB, CAT]) await client.addPhone(number, `Owner of ${number}`);
  const shown = (number: string, count: number) =>
    until(
      `${count} messages on ${number}`,
      () => client.messages(number),
      (messages) => messages.length === count,
    );

  const ann = await pairByQr(new PlainAccount(), whatsApp, (qr) => client.scan(ANN, qr));
  const gone = await pairByQr(new PlainAccount(), whatsApp, (qr) => client.scan(BOB, qr));
  await ann.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'to Bob' });
  const [first] = await shown(BOB, 1);
  await client.read(BOB, first?.id ?? '');
  const { id: group } = await client.addGroup(BOB, 'Club', [ANN, CAT]);
  await client.write(BOB, group, 'to all');
  await client.write(BOB, ANN, 'to Ann');
  await until(
    'both messages for Ann',
    () => textsOf(ann),
    (texts) => ['to all', 'to Ann'].every((text) => texts.includes(text)),
  );
  await ann.socket.sendMessage(group, { text: 'to the club' });
  await shown(CAT, 2);
  await client.changeMembers(group, BOB, 'promote', [ANN]);
  await ann.socket.groupUpdateSubject(group, 'Choir');
  await ann.socket.groupUpdateDescription(group, 'We sing');
  await client.changeMembers(group, BOB, 'remove', [CAT]);
  await client.removeDevice(BOB, 1);
  await client.reinstall(CAT);
  await client.changeAppState(ANN, { collection: 'regular_high', changes: [{ index: ['star', 'a', 'b', '0', '0'] }] });
  ann.close();
  gone.close();
  await client.write(CAT, ANN, 'while you were away');
  for (const text of ['held back', 'held for ever']) await client.writeAhead(BOB, ANN, text);
  await client.release(BOB, 1);
  await whatsApp.stop();
  const before = contentsOf(whatsApp.world);
  const state = new SavedState(folder);
  const after = contentsOf(loadWorld(folder, state));
  state.close();

  expect(after).toEqual(before);
  expect(before.described.map(({ number, ahead, linked }) => [number, ahead.length, linked.length])).toEqual([
    [ANN, 0, 1],
    [BOB, 1, 0],
    [CAT, 0, 0],
  ]);
  expect(before.described[0]?.linked[0]?.pending.length).toBeGreaterThan(1);
  expect(before.described[0]?.appState.server.get('regular_high')).toMatchObject({ version: 1 });
  expect(before.groups).toMatchObject([{ subject: 'Choir', description: { text: 'We sing' } }]);
});
