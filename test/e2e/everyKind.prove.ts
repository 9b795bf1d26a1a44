import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiClient } from '../../infra/local/apiClient.ts';
import { until } from '../../infra/local/until.ts';
import type { WebhookReceiver } from '../../infra/local/webhookReceiver.ts';
import { writeZip } from '../../functions/media/prepare/converter/zip.ts';
import { pngOf } from '../functions/media/prepare/madePictures.ts';
import { askedKinds, inboundTypes, type InboundType } from '../../shared/content/content.ts';
import { toContent, type ToldContent } from '../../shared/wire/content.ts';
import type { SentFile } from '../whatsapp/media/fileClient.ts';
import { samples } from '../whatsapp/media/sampleFiles.ts';
import type { WhatsAppClient } from '../whatsapp/client.ts';
import type { TranscriptEntry } from '../whatsapp/phone.ts';
import { albumExample } from '../../shared/message/albumRequest.ts';
import { everyKindFrom, expectedId, idOf, type Written } from './everyKindMessages.ts';
import { startPairedStack, type PairedStack } from './pairedStack.ts';

const SHOP = '4915100000001';
const ANN = '4915100000002';
const WAIT_MS = 60_000;

type Json = Readonly<Record<string, unknown>>;

/** The message that an act is done to, where it is not a text of the account's own. */
const actedOn: Readonly<Record<string, InboundType>> = { poll_vote: 'poll', event_response: 'event' };
/** What is asked for where the example of a kind needs another message, or says what the other one does not. */
const asked: Readonly<Record<string, (idOfKind: (type: InboundType) => unknown) => Json>> = {
  interactive: (idOfKind) => ({
    context: { message_id: idOfKind('interactive') },
    interactive: { type: 'button_reply', button_reply: { id: 'yes', title: 'Yes' } },
  }),
  button: (idOfKind) => ({
    context: { message_id: idOfKind('template') },
    button: { payload: 'yes', text: 'Yes', index: 0 },
  }),
};
/** Files of each kind that is one, which a phone sends first: what is sent is that. */
const files: Readonly<Record<string, SentFile>> = {
  image: { kind: 'image', data: samples.smallPng },
  video: { kind: 'video', data: samples.earlyIndexMp4 },
  video_note: { kind: 'video_note', data: samples.earlyIndexMp4 },
  audio: { kind: 'voice', data: samples.voice60Ms },
  document: { kind: 'document', noise: { bytes: 2_000, seed: 7 }, fileName: 'invoice-2041.pdf' },
  sticker: { kind: 'sticker', data: samples.stickerWebp },
  sticker_pack: { kind: 'document', data: archiveOfPictures(), fileName: 'pack.zip' },
};
/** The kinds that are asked for; an album is the first of several messages that a request for one becomes. */
const sentKinds = [...askedKinds, { type: 'album', acts: false, example: albumExample }] as const;
/** What a phone sees of a kind whose content does not stand in its message in the same words. */
const seen: Readonly<Record<string, object>> = {
  album: { content: { type: 'album', album: { images: 1, videos: 1 } } },
  sticker_pack: { content: { type: 'sticker_pack', sticker_pack: { complaints: [] } } },
  edit: { act: 'edit', content: { type: 'text' } },
  revoke: { act: 'delete' },
  poll_vote: { sealed: { use: 'vote' } },
  event_response: { sealed: { use: 'event_response' } },
};

/** One message of each kind goes in each direction in which there is one, through every process. */
describe('every kind, through every process of the embedded stack', () => {
  let stage: PairedStack;
  let receiver: WebhookReceiver;
  let phones: WhatsAppClient;
  let api: ApiClient;
  let written: ReadonlyMap<InboundType, Written>;
  const sent = new Map<string, Json>();
  beforeAll(async () => {
    stage = await startPairedStack(SHOP, ANN);
    ({ receiver, phones, api } = stage);
    written = await everyKindFrom(`${ANN}@s.whatsapp.net`);
    for (const [type, message] of written) {
      if ('stanza' in message) await phones.stanza(ANN, { to: SHOP, stanza: message.stanza });
      else {
        const plaintext = Buffer.from(message.plaintext).toString('base64');
        await phones.raw(ANN, { to: SHOP, plaintext, id: idOf(type) });
      }
    }
  });
  afterAll(() => stage.stop());

  const path = (): string => `/v1/connections/${stage.connection}/messages`;
  const toldOf = (type: InboundType): Promise<Json> =>
    until(
      `the webhook of ${type}`,
      () => receiver.events.find(({ data }) => data['stanzaId'] === idOf(type))?.data,
      (data) => data !== undefined,
      WAIT_MS,
    ) as Promise<Json>;
  /** The id of a file that came from a phone. */
  const fileOf = async (media: SentFile): Promise<unknown> => {
    const stanzaId = await phones.files.send(ANN, SHOP, media);
    const data = await until(
      'the file to be here',
      () => {
        const message = receiver.events.find(({ data: told }) => told['stanzaId'] === stanzaId)?.data['messageId'];
        return receiver.events.find(
          ({ type, data: told }) => type === 'media.ready' && told['messageId'] === message && message !== undefined,
        )?.data;
      },
      (found) => found !== undefined,
      WAIT_MS,
    );
    return (data?.['media'] as Json | undefined)?.['id'];
  };
  /** What a phone makes of a message that is a file, which it has opened. */
  const fileSeen = async (type: string, stanzaId: string): Promise<Partial<ToldContent>> => {
    const { kind, caption, fileName: filename, complaints } = await phones.files.opened(ANN, stanzaId);
    const body = { caption, filename, complaints, ...(kind === 'voice' ? { voice: true } : {}) };
    return { content: { type: kind === 'voice' ? 'audio' : kind, [type]: body } as unknown as ToldContent['content'] };
  };
  const shownOf = (stanzaId: unknown) =>
    until(
      `the message ${String(stanzaId)} on the phone`,
      async () => (await phones.messages(ANN)).find(({ id }) => id === stanzaId),
      (entry) => entry !== undefined,
      WAIT_MS,
    );

  it.each(inboundTypes)('a phone writes it, and the webhook and the API tell it: %s', async (type) => {
    const data = await toldOf(type);
    const shown = await api.must('GET', `${path()}/${String(data['messageId'])}`);

    expect(data['content']).toMatchObject(withOurId(written.get(type)?.told));
    expect(shown['content']).toEqual(data['content']);
  });

  /** What an album is asked for as: its parts are files that a phone sends first. */
  const albumOf = async (): Promise<Json> => {
    const [image, video] = [await fileOf(files['image'] as SentFile), await fileOf(files['video'] as SentFile)];
    const film = { type: 'video', video: { id: video, convert: false } };
    return { parts: [{ type: 'image', image: { id: image, convert: false } }, film] };
  };

  it.each(sentKinds)('asks for it, and the phone shows it: $type', async ({ type, acts, example }) => {
    const ids = new Map<InboundType, unknown>();
    for (const one of ['interactive', 'template', 'poll', 'event'] as const) {
      ids.set(one, (await toldOf(one))['messageId']);
    }
    const post = async (request: Json): Promise<Json> => {
      const { status, json } = await api.call('POST', path(), request);
      expect({ status, json }).toMatchObject({ status: 202, json: { status: 'queued' } });
      return json;
    };
    const to = `+${ANN}`;
    const on = acts
      ? (ids.get(actedOn[type] as InboundType) ??
        (await post({ to, type: 'text', text: { body: `for a ${type}` } }))['id'])
      : undefined;
    const file = files[type];
    const asItIs = type === 'sticker_pack' ? {} : { convert: false };
    const named = file === undefined ? {} : { id: await fileOf(file), ...asItIs };
    const said = type === 'album' ? await albumOf() : example;
    const body = acts
      ? { ...(example as Json), message_id: on }
      : file === undefined
        ? said
        : { ...(example as Json), ...named };
    const request = { type, [type]: body, ...asked[type]?.((kind) => ids.get(kind)) };

    const answer = await post(acts ? request : { to, ...request });
    sent.set(type, answer);

    const entry = await shownOf(answer['stanzaId']);
    const { message_id: _ours, id: _file, convert: _asItIs, ...words } = (request as Json)[type] as Json;
    const content = { type, [type]: Array.isArray(request[type]) ? request[type] : words };
    const original = acts ? (await api.must('GET', `${path()}/${String(on)}`))['stanzaId'] : undefined;
    const found = file === undefined ? seenIn(entry) : await fileSeen(type, String(answer['stanzaId']));
    expect(found).toMatchObject(seen[type] ?? { content });
    expect(found.original?.stanzaId).toBe(original);
  });

  it.each(sentKinds)('delivers it, and its status says so: $type', async ({ type }) => {
    const id = String(sent.get(type)?.['id']);
    const message = await until(
      `the status of ${type}`,
      () => api.must('GET', `${path()}/${id}`),
      ({ status }) => status !== 'queued' && status !== 'sending' && status !== 'sent',
      WAIT_MS,
    );

    expect(message['status']).toMatch(/^(?:delivered|read|played)$/);
    const steps = receiver.events.filter(
      ({ type: event, data }) => event === 'message.status' && data['messageId'] === id,
    );
    expect(steps.map(({ data }) => data['status'])).toContain('sent');
  });
});

/** A ZIP archive of three pictures, in base64. */
function archiveOfPictures(): string {
  const pictures = [8, 16, 24].map((edge) => ({ name: `${edge}.png`, bytes: pngOf({ width: edge, height: edge }) }));
  return writeZip(pictures).toString('base64');
}

/** What a phone makes of a message. */
function seenIn(entry: TranscriptEntry | undefined): Partial<ToldContent> {
  if (entry?.kind === 'text') return { content: { type: 'text', text: { body: entry.text } } };
  return toContent(Buffer.from(entry?.plaintext ?? '', 'base64')) ?? {};
}

/** What is told of a message, where our ids are not known before. */
function withOurId(told: object | undefined): object {
  const anyId: unknown = expect.stringMatching(/^msg_/);
  const text = JSON.stringify(told);
  return JSON.parse(text, (_name, value: unknown) => (value === expectedId ? anyId : value)) as object;
}
