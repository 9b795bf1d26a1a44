import { proto, type BinaryNode } from '@whiskeysockets/baileys';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toAppStateKeys } from '../../../../worker/socket/wire/appStateKeys.ts';
import { makeSessionKeys } from '../../../../worker/socket/signal/sessionKeys.ts';
import { until } from '../../../whatsapp/until.ts';
import { openGate } from '../../fleet/gates.ts';
import { ANN, BOB_JID, SocketRoom } from '../socketRoom.ts';

describe('app-state keys that the phone shares', () => {
  let room: SocketRoom;
  beforeEach(async () => {
    room = await SocketRoom.start();
    await room.pairByQr();
  });
  afterEach(() => room.stop());

  const stored = async (keyId: string) => {
    const session = await room.session(undefined, openGate);
    const keys = makeSessionKeys(session, openGate, () => undefined);
    const { [keyId]: key } = await keys.get('app-state-sync-key', [keyId]);
    const { myAppStateKeyId } = session.credentials as { readonly myAppStateKeyId?: string };
    return { keyData: Buffer.from(key?.keyData ?? []).toString('base64'), myAppStateKeyId };
  };

  it('are stored in the form of Baileys, with the number of the newest', async () => {
    const { keyId, keyData } = await room.client.shareAppStateKey(ANN, 1);
    await until(
      'an empty queue',
      () => room.client.phones(),
      ([ann]) => ann?.devices[0]?.waiting === 0,
    );

    expect(await stored(keyId)).toEqual({ keyData, myAppStateKeyId: keyId });
  });

  it('are there when the process dies in the moment in which their stanza counts as handled', async () => {
    // The stanza is only answered from here on and never read again; Baileys has not seen the keys yet.
    room.afterWrite = ({ sk }) => {
      if (sk.includes('#SIGNAL#')) room.gate.fence();
    };
    const { keyId, keyData } = await room.client.shareAppStateKey(ANN, 1);
    await until('the end', room.gate.isOpen, (isOpen) => !isOpen);

    expect(await stored(keyId)).toEqual({ keyData, myAppStateKeyId: keyId });
  });

  it('come again when they could not be stored', async () => {
    room.beforeWrite = async ({ sk }) => {
      if (sk.includes('#APPSTATEKEY#')) room.gate.fence();
    };
    await room.client.shareAppStateKey(ANN, 1);
    await until('the end', room.gate.isOpen, (isOpen) => !isOpen);

    expect((await room.client.phones())[0]?.devices[0]?.waiting).toBe(1);
  });
});

describe('a message that shares app-state keys', () => {
  const me = { phoneJid: `${ANN}@s.whatsapp.net`, lid: '111@lid' };
  const keyData = { keyData: Buffer.alloc(32, 7) };
  const message = (keys: readonly proto.Message.IAppStateSyncKey[]): proto.IMessage => ({
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.APP_STATE_SYNC_KEY_SHARE,
      appStateSyncKeyShare: { keys: [...keys] },
    },
  });
  const aStanza = (attrs: Record<string, string>): BinaryNode => ({ tag: 'message', attrs });
  const keyId = Buffer.from('key 1');

  it.each([me.phoneJid, me.lid, `${ANN}:3@s.whatsapp.net`])('is believed from our own account: %s', (from) => {
    expect(toAppStateKeys(aStanza({ from }), message([{ keyId: { keyId }, keyData }]), me)).toEqual({
      [keyId.toString('base64')]: keyData,
    });
  });

  it.each<readonly [string, Record<string, string>]>([
    ['a contact', { from: BOB_JID }],
    ['a contact by LID', { from: '222@lid' }],
    ['ourselves in a group', { from: '1@g.us', participant: me.phoneJid }],
  ])('is believed from nobody else: %s', (_who, attrs) => {
    expect(toAppStateKeys(aStanza(attrs), message([{ keyId: { keyId }, keyData }]), me)).toEqual({});
  });

  it('may lack a key or its number', () => {
    expect(toAppStateKeys(aStanza({ from: me.phoneJid }), message([{ keyData }, { keyId: { keyId } }]), me)).toEqual(
      {},
    );
  });
});
