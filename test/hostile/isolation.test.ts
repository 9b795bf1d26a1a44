import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPairingLink } from '../../shared/connection/pairingLinkStore.ts';
import { makeId, type TenantId } from '../../shared/kernel/id.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { startCallRecorder, type CallRecorder } from '../contract/callRecorder.ts';
import { anAccount, ApiStack, type Answered } from '../functions/api/apiStack.ts';
import { startObjects, type ObjectEmulator } from '../emulators/objects.ts';
import { aBatch, aMessageFact } from '../shared/event/eventStores.ts';
import { recordFacts } from '../shared/event/recordFacts.ts';
import { operationsOf, withText, type Operation, type Place } from './openApiStrings.ts';
import { PasskeyCredential } from '../whatsapp/passkeyCredential.ts';

/** What a tenant has that others may not know of, by the kind of its id. */
interface Belongings {
  readonly tenantId: TenantId;
  readonly key: string;
  readonly ids: Readonly<Record<Kind, string>>;
}
type Kind =
  | 'connection'
  | 'message'
  | 'media'
  | 'webhook'
  | 'link'
  | 'bulkSend'
  | 'action'
  | 'export'
  | 'erasure'
  | 'event'
  | 'tenant'
  | 'place';

/** Stands in every text that the neighbour wrote; whoever sees it elsewhere sees what is not theirs. */
const MARK = 'neighbourly';
/** Values for fields that not every text fits. */
const SAMPLES = {
  to: '+49 151 00000002',
  url: 'https://93.184.216.34/hook',
  origin: 'https://app.example.com',
  returnUrl: 'https://app.example.com/linked',
  phoneNumber: '+4915100000009',
  version: '2.3000.1027934701',
  participants: ['+49 151 00000002'],
  join_requests: ['+49 151 00000002'],
  inviter: '+49 151 00000002',
  contact: '+49 151 00000002',
  invite_link: 'AbCdEfGhIjKlMn',
  code_expires_at: '2126-12-24T18:00:00Z',
  settings: { announcement: true },
  assertion: new PasskeyCredential().sign('Y2hhbGxlbmdl'),
  privacy: { last_seen: 'contacts' },
};
/** What names something in WhatsApp or in a catalogue of ours, and not something of a tenant. */
const OUTSIDE: Readonly<Record<string, string>> = {
  chat: '4915100000002',
  code: 'connection_not_found',
  contact: '4915100000002',
  group: '120363042537841234@g.us',
  community: '120363042537849999@g.us',
  channel: '120363144038483540@newsletter',
  post: '142',
  callId: 'CALL0001',
  label: '3',
  group_id: '120363042537841234@g.us',
  wa_id: '4915100000002',
  name: 'manifest.json',
  rawId: 'Y3JlZGVudGlhbA',
};
/** The kind of id that stands in a parameter, or in a field of a body by the end of its path. */
const KINDS: Readonly<Record<string, Kind>> = {
  connectionId: 'connection',
  connectionIds: 'connection',
  messageId: 'message',
  message_id: 'message',
  mediaId: 'media',
  id: 'media',
  webhookId: 'webhook',
  linkId: 'link',
  bulkSendId: 'bulkSend',
  actionId: 'action',
  exportId: 'export',
  erasureId: 'erasure',
  eventIds: 'event',
  tenantId: 'tenant',
  after: 'place',
  before: 'place',
  'last-event-id': 'place',
};
/** Fields called `id` that a caller makes up, or that are no id of ours. */
const MADE_UP = /^(?:interactive|assertion)\./;

/** One place of one request where an id may stand. */
interface Position {
  readonly operation: Operation;
  readonly place: Place;
  readonly kind: Kind;
}

/** What a caller can tell of an answer, without what is another one each time. */
interface Impression {
  readonly status: number;
  readonly code: unknown;
  readonly fields: readonly string[];
  /** The calls to stores, one after the other: they are the time that an answer takes. */
  readonly calls: readonly string[];
}

/**
 * Every request of the API's document is made with every id in it taken from another tenant, and has to look like one with
 * an id that is nobody's, also in the calls that it makes. A new route is here by itself.
 */
describe('what belongs to a tenant', () => {
  let stack: ApiStack;
  let objects: ObjectEmulator;
  let recorder: CallRecorder;
  let calls: string[] = [];
  let neighbour: Belongings;
  let caller: Belongings;
  let operations: readonly Operation[];
  beforeAll(async () => {
    objects = await startObjects();
    stack = await ApiStack.start(async ({ dynamoDbEndpoint = '', sqsEndpoint = '' }) => {
      const emulators = { dynamoDb: dynamoDbEndpoint, sqs: sqsEndpoint, s3: objects.endpoint };
      recorder = await startCallRecorder(emulators, ({ target }) => {
        calls.push(target);
        return 'pass';
      });
      const { dynamoDb, sqs, s3 } = recorder;
      return { ...objects.config, dynamoDbEndpoint: dynamoDb, sqsEndpoint: sqs, s3Endpoint: s3 };
    });
    neighbour = await settle(`of a ${MARK} tenant`);
    caller = await settle('of a tenant');
    operations = operationsOf((await stack.call('GET', '/v1/openapi.json')).body, SAMPLES);
  });
  afterAll(async () => {
    await stack.stop();
    await recorder.stop();
    await objects.stop();
  });

  /** A tenant with one of everything. */
  async function settle(text: string): Promise<Belongings> {
    const owner = await stack.tenant();
    const must = async (method: string, path: string, options: object): Promise<Record<string, unknown>> => {
      const answer = await stack.call(method, path, { key: owner.key, ...options });
      expect({ path, ...answer }).toMatchObject({ status: expect.toSatisfy((status: number) => status < 300) });
      return answer.body;
    };
    const connectionId = await stack.connection(owner, anAccount);
    const path = `/v1/connections/${connectionId}`;
    await stack.change(owner, connectionId, { status: 'online', statusCode: 'open' });
    await must('PATCH', path, { body: { label: text } });
    const message = { type: 'text', to: '+4915100000002', text: { body: text } };
    const sent = await must('POST', `${path}/messages`, { body: message, headers: { 'idempotency-key': 'the-same' } });
    const media = await must('POST', '/v1/media', { body: { bytes: 10, filename: `${text}.bin` } });
    const webhook = await must('POST', '/v1/webhooks', { body: { url: `https://93.184.216.34/${MARK.length}` } });
    const lines = { raw: JSON.stringify(message), headers: { 'content-type': 'application/x-ndjson' } };
    const bulk = await must('POST', `${path}/bulk-sends`, lines);
    const asked = { body: { contacts: ['+49 151 23456789'] }, headers: { prefer: 'wait=0' } };
    const action = await must('POST', `${path}/contacts/check`, asked);
    const made = await must('POST', '/v1/exports', { body: { contact: '+4915100000002' } });
    const erasure = await must('POST', '/v1/contact-erasures', { body: { contact: '+4915100000002' } });
    const fact = aMessageFact({ content: { type: 'text', text: { body: text } } });
    await recordFacts(stack.dependencies, aBatch({ tenantId: owner.tenantId, connectionId }, [fact], text));
    const person = {
      id: `${OUTSIDE['contact']}@s.whatsapp.net`,
      push: text,
      firstSeenAtMs: 1,
      seenAtMs: 1,
      version: 1,
    };
    await stack.dependencies.contacts.write(connectionId, { write: 'make', contact: person }, Date.now());
    const chat = { id: person.id, lastAtMs: 1, unread: 0, version: 1, subject: text };
    await stack.dependencies.chats.write([{ connectionId, was: undefined, is: chat }], Date.now());
    const { link } = await createPairingLink(stack.dependencies, {
      tenantId: owner.tenantId,
      connectionId,
      keyId: makeId('key', Date.now(), systemRandom),
      returnUrl: undefined,
      origin: undefined,
      language: undefined,
      brand: undefined,
      lastsMs: 3_600_000,
    });
    const log = await must('GET', '/v1/events', {});
    const [event] = log['data'] as readonly { readonly id: string }[];
    return {
      ...owner,
      ids: {
        connection: connectionId,
        message: String(sent['id']),
        media: String(media['id']),
        webhook: String(webhook['id']),
        link: link.linkId,
        bulkSend: String(bulk['id']),
        action: String(action['id']),
        export: String(made['id']),
        erasure: String(erasure['id']),
        event: String(event?.id),
        tenant: owner.tenantId,
        place: String(log['next']),
      },
    };
  }

  const isOperators = ({ path }: Operation): boolean => /^\/(?:v1\/admin|health\/detailed)/.test(path);
  const kindOf = (place: Place): Kind | undefined => {
    if ('name' in place) return KINDS[place.name];
    const path = place.path.filter((part) => typeof part === 'string');
    return place.in === 'key' || MADE_UP.test(path.join('.')) ? undefined : KINDS[path.at(-1) ?? ''];
  };
  const positions = (): readonly Position[] =>
    operations
      .filter((operation) => !isOperators(operation))
      .flatMap((operation) =>
        operation.places.flatMap((place) => {
          const kind = kindOf(place);
          return kind === undefined ? [] : [{ operation, place, kind }];
        }),
      );
  /** An id of a kind that is nobody's; a place of the log that nobody was ever given cannot be made. */
  const nobodys = (kind: Kind): string => {
    const prefixes = {
      connection: 'con',
      message: 'msg',
      media: 'med',
      webhook: 'end',
      link: 'plk',
      bulkSend: 'blk',
      action: 'act',
      export: 'exp',
      erasure: 'ers',
      event: 'evt',
      tenant: 'tnt',
    } as const;
    if (kind === 'place') return 'bm93aGVyZQ';
    return kind === 'event' ? 'evt_0000000000ZZZ00' : makeId(prefixes[kind], Date.now(), systemRandom);
  };
  /** Makes a request with an id at a position, and ids of a tenant everywhere else in its path. */
  const ask = async (
    { operation, place }: Position,
    id: string,
    ids: Belongings['ids'],
    key: string,
  ): Promise<Answered> => {
    const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      if (place.in === 'path' && place.name === name) return id;
      const kind = KINDS[name];
      return kind === undefined ? (OUTSIDE[name] ?? name) : ids[kind];
    });
    const query = place.in === 'query' ? `?${place.name}=${encodeURIComponent(id)}` : '';
    const headers = place.in === 'header' ? { [place.name]: id } : {};
    const isLines = operation.path.endsWith('/bulk-sends') && operation.method === 'POST';
    calls = [];
    if (isLines) {
      const raw = JSON.stringify({ type: 'text', to: '+4915100000002', text: { body: 'hello' } });
      return stack.call('POST', `${path}${query}`, {
        key,
        raw,
        headers: { 'content-type': 'application/x-ndjson', prefer: 'wait=0' },
      });
    }
    const body = 'path' in place ? withText(operation.body, place, id) : operation.body;
    return stack.call(operation.method, `${path}${query}`, { key, body, headers: { prefer: 'wait=0', ...headers } });
  };
  const impressionOf = ({ status, body }: Answered): Impression => ({
    status,
    code: body['code'],
    fields: Object.keys(body).sort(),
    calls,
  });
  const nameOf = ({ operation: { method, path }, place }: Position): string =>
    `${method} ${path} ${place.in} ${'name' in place ? place.name : place.path.join('.')}`;
  /** Everything of the neighbour that must not be in an answer; what the caller has sent may come back. */
  const leaksIn = (answer: Answered, sent: readonly string[]): readonly string[] => {
    const text = `${answer.bytes.toString()} ${JSON.stringify(answer.headers)}`;
    return [MARK, neighbour.key, ...Object.values(neighbour.ids)].filter(
      (secret) => !sent.includes(secret) && text.includes(secret),
    );
  };
  /** What the neighbour sees of what it has. */
  const seen = async (): Promise<readonly unknown[]> => {
    const paths = [
      '/v1/connections',
      '/v1/webhooks',
      '/v1/tenant',
      '/v1/events',
      '/v1/exports',
      '/v1/contact-erasures',
      `/v1/media/${neighbour.ids.media}/info`,
    ];
    const below = [
      '',
      '/messages',
      '/bulk-sends',
      '/actions',
      '/history',
      '/scheduled-messages',
      '/pairing-links',
      `/messages/${neighbour.ids.message}`,
    ];
    const all = [...paths, ...below.map((path) => `/v1/connections/${neighbour.ids.connection}${path}`)];
    const bodies = all.map(async (path) => (await stack.call('GET', path, { key: neighbour.key })).body);
    // An upload that is awaited is offered at another address each time.
    return (await Promise.all(bodies)).map(({ upload: _upload, ...body }) => body);
  };

  /** What is wrong with the answer to an id of the neighbour; undefined when nothing is. */
  const faultAt = async (position: Position, around: Belongings): Promise<object | undefined> => {
    const { kind, place } = position;
    const given = neighbour.ids[kind];
    let fault: object | undefined;
    // Keys and connections are remembered for a moment, so one of two requests may have to ask for them again.
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const unknown = impressionOf(await ask(position, nobodys(kind), around.ids, caller.key));
      const answer = await ask(position, given, around.ids, caller.key);
      const foreign = impressionOf(answer);
      const leaks = leaksIn(answer, around === neighbour ? Object.values(around.ids) : [given]);
      // An action is taken for any message: the worker that carries it out finds those of its connection alone.
      const isHidden = place.in !== 'path' || foreign.status === 404 || foreign.status === 202;
      const isSame = kind === 'place' || JSON.stringify(foreign) === JSON.stringify(unknown);
      fault = { where: nameOf(position), foreign, unknown, leaks };
      if (isHidden && isSame && leaks.length === 0) return undefined;
      if (!isHidden || leaks.length > 0) return fault;
    }
    return fault;
  };

  it('is to others as if it were not there, at every place of every request where an id may stand', async () => {
    const before = await seen();
    const wrong: unknown[] = [];
    let tried = 0;
    for (const position of positions()) {
      for (const around of position.kind === 'connection' ? [caller, neighbour] : [caller]) {
        tried += 1;
        const fault = await faultAt(position, around);
        if (fault !== undefined) wrong.push(fault);
      }
    }

    expect(wrong).toEqual([]);
    expect(tried).toBeGreaterThan(250);
    expect(await seen()).toEqual(before);
  });

  it('has ids whose kind is known here, wherever a request may have one', () => {
    const names = operations
      .filter((operation) => !isOperators(operation))
      .flatMap(({ places }) =>
        places.flatMap((place) => {
          if (!('name' in place)) return place.path.filter((part) => typeof part === 'string').slice(-1);
          return place.in === 'header' ? [] : [place.name];
        }),
      );
    const inPaths = operations
      .filter((operation) => !isOperators(operation))
      .flatMap(({ path }) => path.match(/(?<=\{)\w+/g) ?? []);
    const ids = [...names.filter((name) => /(?:^|_)ids?$|Ids?$/.test(name)), ...inPaths];

    expect([...new Set(ids)].filter((name) => !(name in KINDS) && !(name in OUTSIDE))).toEqual([]);
  });

  it('is found by its owner at each of these places of a path', async () => {
    const lost: string[] = [];
    for (const position of positions()) {
      if (position.operation.method !== 'GET' || position.place.in !== 'path') continue;
      const { status, body } = await ask(position, neighbour.ids[position.kind], neighbour.ids, neighbour.key);
      if (status === 404 && String(body['code']).endsWith('_not_found')) lost.push(nameOf(position));
    }

    // A file that was uploaded has no small picture, and an export that has just begun no file.
    expect(lost).toEqual([
      'GET /v1/media/{mediaId}/thumbnail path mediaId',
      'GET /v1/exports/{exportId}/files/{name} path exportId',
    ]);
  });

  it('is not what the same idempotency key of another tenant means', () => {
    expect(caller.ids.message).not.toBe(neighbour.ids.message);
  });

  it('is not shown by what operators alone may ask', async () => {
    const answers = await Promise.all(
      operations.filter(isOperators).map(async (operation) => {
        const place = { in: 'path', name: 'tenantId' } as const;
        const answer = await ask({ operation, place, kind: 'tenant' }, neighbour.tenantId, neighbour.ids, caller.key);
        return `${operation.method} ${operation.path}: ${answer.status} ${leaksIn(answer, []).length}`;
      }),
    );

    expect(answers.filter((answer) => !/: 40[13] 0$/.test(answer))).toEqual([]);
    expect(answers.length).toBeGreaterThan(10);
  });
});
