import { addTransactionCapability, DEFAULT_CONNECTION_CONFIG, encodeWAMessage } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { decodePadded } from './content.ts';
import { Phone, type Sealed } from './phone.ts';
import { isCaughtUp, isOpen, PlainAccount, textsOf } from './plainSocket.ts';
import { silenceConsole } from './silenceConsole.ts';
import { silentLogger } from './silentLogger.ts';
import { useStage } from './sockets.ts';
import { until } from './until.ts';
import { lidOf } from './world.ts';

silenceConsole();
const ANN = '4915100000001';
const BOB = '4915100000002';
const [ANN_JID, BOB_JID] = ['111@lid', '222@lid'];

const aText = (text: string): Uint8Array => encodeWAMessage({ conversation: text });

describe('phones', () => {
  it('keep a new session whole while late messages of the old one arrive', async () => {
    const [ann, bob] = [new Phone(ANN, '111'), new Phone(BOB, '222')];
    bob.makePreKeys();
    const fromAnn = async (text: string, renew = false): Promise<string | null | undefined> => {
      const sealed = await ann.seal(BOB_JID, aText(text), () => bob.takeBundle(), renew);
      return (await bob.open(ANN_JID, sealed as Sealed)).conversation;
    };
    const sealedByBob = (text: string) => bob.seal(ANN_JID, aText(text), () => undefined) as Promise<Sealed>;
    await fromAnn('first session');
    await ann.open(BOB_JID, await sealedByBob('an answer'));
    const late = await sealedByBob('late');
    await fromAnn('second session', true);

    const opened = await ann.open(BOB_JID, late);

    expect(opened.conversation).toBe('late');
    expect(await fromAnn('still readable')).toBe('still readable');
    expect((await ann.open(BOB_JID, await sealedByBob('so is this'))).conversation).toBe('so is this');
  });

  it('are alone in that: a client in the same process keeps the fault of libsignal', async () => {
    const [account, bob] = [new PlainAccount(), new Phone(BOB, '222')];
    bob.makePreKeys();
    const keys = addTransactionCapability(account.keys, silentLogger, { maxCommitRetries: 1, delayBetweenTriesMs: 1 });
    const client = DEFAULT_CONNECTION_CONFIG.makeSignalRepository({ creds: account.creds, keys }, silentLogger);
    const begin = async (): Promise<void> => {
      const { registrationId, identity, signedPreKey, preKey } = bob.takeBundle();
      const key = (bytes: Uint8Array | undefined) => Buffer.concat([Buffer.from([5]), bytes ?? Buffer.alloc(0)]);
      const signed = { keyId: signedPreKey.id, publicKey: key(signedPreKey.value), signature: signedPreKey.signature };
      const session = {
        registrationId,
        identityKey: key(identity),
        signedPreKey: signed,
        preKey: { keyId: preKey?.id ?? 0, publicKey: key(preKey?.value) },
      };
      await client.injectE2ESession({ jid: BOB_JID, session });
    };
    const send = async (text: string) => {
      const sealed = await client.encryptMessage({ jid: BOB_JID, data: aText(text) });
      return bob.open(ANN_JID, sealed);
    };
    const receive = async ({ type, ciphertext }: Sealed) =>
      decodePadded(await client.decryptMessage({ jid: BOB_JID, type, ciphertext: Buffer.from(ciphertext) }));
    const sealedByBob = (text: string) => bob.seal(ANN_JID, aText(text), () => undefined) as Promise<Sealed>;
    await begin();
    await send('first session');
    await receive(await sealedByBob('an answer'));
    const late = await sealedByBob('late');
    await begin();
    await send('second session');

    await receive(late);

    await expect(send('damaged')).rejects.toThrow('Bad MAC');
  });
});

describe('phones and real Baileys sockets', () => {
  const stage = useStage({ Ann: ANN, Bob: BOB });
  const textsAt = (number: string) =>
    stage
      .client()
      .messages(number)
      .then((messages) => messages.map(({ text }) => text));

  it('repeat a message that the client could not read, which shows it once', async () => {
    const account = new PlainAccount();
    const ann = await stage.pair(ANN, account);
    await stage.client().write(BOB, ANN, 'hello');
    await until(
      'the first message',
      () => textsOf(ann),
      (texts) => texts.length === 1,
    );
    await ann.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'so that Bob sends plain messages' });
    await until(
      'the answer',
      () => textsAt(BOB),
      (texts) => texts.length === 2,
    );

    account.forget('session', lidOf(BOB));
    await stage.client().write(BOB, ANN, 'after the loss');
    await until(
      'the repeated message',
      () => textsOf(ann),
      (texts) => texts.includes('after the loss'),
    );

    expect(textsOf(ann)).toEqual(['hello', 'so that Bob sends plain messages', 'after the loss']);
    expect(await stage.client().stats()).toMatchObject({ undecryptable: 1, retryRequests: 1, refusals: { 500: 1 } });
  });

  it('ask for a message that they could not read; encrypted ahead brings it about with plain Baileys', async () => {
    const account = new PlainAccount();
    const first = await stage.pair(ANN, account);
    const to = `${BOB}@s.whatsapp.net`;
    await first.socket.sendMessage(to, { text: 'a session' });
    await until(
      'the session',
      () => textsAt(BOB),
      (texts) => texts.length === 1,
    );
    await stage.client().write(BOB, ANN, 'used both ways');
    await until(
      'the answer',
      () => textsOf(first),
      (texts) => texts.includes('used both ways'),
    );
    for (const text of ['ahead 1', 'ahead 2']) await stage.client().writeAhead(BOB, ANN, text);
    first.close();
    const ann = stage.connect(account);
    await ann.until('the end of the offline queue', isCaughtUp);
    // A new socket knows no devices, and Baileys makes new sessions when it has asked for them.
    await ann.socket.sendMessage(to, { text: 'on a new session' });
    await until(
      'that message',
      () => textsAt(BOB),
      (texts) => texts.includes('on a new session'),
    );

    const released = await stage.client().release(BOB);
    await until(
      'what was encrypted ahead',
      () => textsOf(ann),
      (texts) => texts.includes('ahead 2'),
    );
    await ann.socket.sendMessage(to, { text: 'on the damaged session' });
    await until(
      'the repeated message',
      () => textsAt(BOB),
      (texts) => texts.includes('on the damaged session'),
    );

    expect(released).toHaveLength(2);
    expect(textsOf(ann).filter((text) => text.startsWith('ahead'))).toEqual(['ahead 1', 'ahead 2']);
    expect((await stage.client().failures(BOB)).map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/Bad MAC|No matching sessions/),
    ]);
    // The repetition was asked for, so it does not count as resent.
    expect(await stage.client().stats()).toMatchObject({ resent: 0, duplicates: 0, retryRequests: 1 });
  });

  it('show what their own linked devices wrote, and tell those what they wrote', async () => {
    const ann = await stage.pair(ANN);

    await ann.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'from the desk' });
    await until(
      'the own copy',
      () => textsAt(ANN),
      (texts) => texts.includes('from the desk'),
    );
    await stage.client().write(ANN, BOB, 'from the phone');
    await until(
      'the echo',
      () => textsOf(ann),
      (texts) => texts.includes('from the phone'),
    );

    expect(ann.received[0]?.key).toMatchObject({ fromMe: true, remoteJid: `${BOB}@s.whatsapp.net` });
    expect(await textsAt(BOB)).toEqual(['from the desk', 'from the phone']);
  });

  it('write to a device that was linked after the client had looked', async () => {
    const ann = await stage.pair(ANN);
    await ann.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'to the phone only' });
    await until(
      'the first message',
      () => textsAt(BOB),
      (texts) => texts.length === 1,
    );
    const bob = await stage.pair(BOB);
    await until(
      'the notice of the new device',
      () => stage.client().phones(),
      ([phone]) => phone?.devices[0]?.waiting === 0,
    );

    await ann.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'to both' });
    await until(
      'the second message',
      () => textsOf(bob),
      (texts) => texts.length === 1,
    );

    expect(textsOf(bob)).toEqual(['to both']);
  });

  it('count a text that came under two ids', async () => {
    const ann = await stage.pair(ANN);

    for (const text of ['same', 'same', 'other']) {
      await ann.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text });
    }
    await until(
      'three messages',
      () => textsAt(BOB),
      (texts) => texts.length === 3,
    );

    expect(await stage.client().stats()).toMatchObject({
      duplicates: 1,
      outOfOrder: 0,
      resent: 0,
      shown: { [BOB]: 3 },
    });
  });

  it('keep what waits for a silent socket, and deliver it at the next login', async () => {
    const account = new PlainAccount();
    const first = await stage.pair(ANN, account);
    await first.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'one' });
    const hit = await stage.client().strike({ kind: 'go_silent', number: ANN });
    await first.socket.sendMessage(`${BOB}@s.whatsapp.net`, { text: 'two' });
    await until(
      'what the socket says',
      () => textsAt(BOB),
      (texts) => texts.length === 2,
    );
    await stage.client().write(BOB, ANN, 'not heard');
    first.close();

    const second = stage.connect(account);
    await second.until('open', isOpen);
    await until(
      'what waited',
      () => textsOf(second),
      (texts) => texts.length === 1,
    );

    expect(hit).toBe(1);
    expect(textsOf(first)).not.toContain('not heard');
    expect(textsOf(second)).toEqual(['not heard']);
  });
});
