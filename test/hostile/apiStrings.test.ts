import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actionRows } from '../../shared/action/actionKinds.ts';
import { errorRules } from '../../shared/kernel/errorRules.ts';
import { anAccount, ApiStack, type Answered } from '../functions/api/apiStack.ts';
import { played } from '../sample.ts';
import { operationsOf, withText, type Operation, type Place } from './openApiStrings.ts';
import { PasskeyCredential } from '../whatsapp/passkeyCredential.ts';

const TEXTS: Readonly<Record<string, string>> = {
  'half an emoji': 'a\ud83db',
  '1 MB': 'x'.repeat(1_048_576),
  'U+FFFF': 'a\uffffb',
  NUL: 'a\u0000b',
  __proto__: '__proto__',
  empty: '',
  'an emoji': '👩🏽‍🚀',
  'right to left': '‮مرحبا',
  'a script of four bytes': '\u{20000}\u{10330}',
};
/** Values for fields that not every text fits. */
const SAMPLES = {
  to: '+49 151 00000002',
  url: 'https://93.184.216.34/hook',
  phoneNumber: '+4915100000009',
  version: '2.3000.1027934701',
  participants: ['+49 151 00000002'],
  join_requests: ['+49 151 00000002'],
  inviter: '+49 151 00000002',
  contact: '+49 151 00000002',
  invite_link: 'AbCdEfGhIjKlMn',
  code_expires_at: '2026-12-24T18:00:00Z',
  settings: { announcement: true },
  assertion: new PasskeyCredential().sign('Y2hhbGxlbmdl'),
  privacy: { last_seen: 'contacts' },
  /** The name of the tenant. */
  confirm: 'Acme',
};
/** Nothing takes longer but what hangs. */
const HANGS_MS = 15_000;

describe('whatever text stands in a request', () => {
  let stack: ApiStack;
  let attacked: Awaited<ReturnType<ApiStack['tenant']>>;
  /** A tenant that operators change, which must not be one that others look at. */
  let operated: Awaited<ReturnType<ApiStack['tenant']>>;
  let operations: readonly Operation[] = [];
  /** What another tenant has, as it sees it. */
  let neighbour: { readonly key: string; readonly path: string; readonly before: unknown };
  beforeAll(async () => {
    stack = await ApiStack.start();
    attacked = await stack.tenant();
    operated = await stack.tenant();
    operations = withoutRepeats(operationsOf((await stack.call('GET', '/v1/openapi.json')).body, SAMPLES));
    const { key, tenantId } = await stack.tenant();
    const path = `/v1/connections/${await stack.connection({ key, tenantId }, anAccount)}`;
    neighbour = { key, path, before: (await stack.call('GET', path, { key })).body };
  });
  afterAll(() => stack.stop());

  let connectionId = '';
  /** A linked connection, and another one after each request that ended it. */
  const pathOf = async ({ path, method }: Operation): Promise<string> => {
    if (connectionId === '' || endsConnection({ path, method })) {
      connectionId = await stack.connection(attacked, anAccount);
    }
    return path
      .replace('{connectionId}', connectionId)
      .replace('{tenantId}', operated.tenantId)
      .replace('{messageId}', 'msg_01ARZ3NDEKTSV4RRFFQ69G5FAV')
      .replace('{chat}', '4915100000002')
      .replace('{group}', '120363042537841234@g.us')
      .replace('{community}', '120363042537849999@g.us')
      .replace('{channel}', '120363144038483540@newsletter')
      .replace('{contact}', '4915100000002')
      .replace('{post}', '142')
      .replace('{webhookId}', 'end_01ARZ3NDEKTSV4RRFFQ69G5FAV')
      .replaceAll(/\{\w+\}/g, 'wrk_01ARZ3NDEKTSV4RRFFQ69G5FAV');
  };
  const call = async (operation: Operation, path: string, body: unknown, headers: Record<string, string> = {}) => {
    const key =
      operation.path.startsWith('/v1/admin') || operation.path.startsWith('/health') ? stack.operatorKey : attacked.key;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`${operation.method} ${operation.path} hangs`)), HANGS_MS);
    try {
      return await Promise.race([stack.call(operation.method, path, { key, body, headers }), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  };
  const callWith = async (operation: Operation, place: Place, text: string): Promise<Answered> => {
    const path = await pathOf(operation);
    if (!('name' in place)) return call(operation, path, withText(operation.body, place, text));
    if (place.in === 'header') return call(operation, path, operation.body, { [place.name.toLowerCase()]: text });
    if (place.in === 'query') {
      // The text goes as a caller writes it who knows no better: what cannot be encoded stays as it is.
      return call(operation, `${path}?${place.name}=${encode(text)}`, operation.body);
    }
    const template = operation.path.replace(`{${place.name}}`, () => encode(text));
    return call(operation, await pathOf({ ...operation, path: template }), operation.body);
  };

  it('is answered as if nothing were wrong where nothing is', async () => {
    const refused: string[] = [];
    for (const operation of operations) {
      const { status, body } = await call(operation, await pathOf(operation), operation.body);
      if (status === 400 || status >= 500)
        refused.push(`${operation.method} ${operation.path}: ${status} ${String(body['detail'])}`);
    }

    // Otherwise what follows would never get as far as the text.
    expect(refused).toEqual([]);
    expect(operations.length).toBeGreaterThan(20);
  });

  it.each(played(Object.entries(TEXTS), 3))(
    '%s is taken or refused with a code of the catalogue, everywhere',
    async (_what, text) => {
      const wrong: string[] = [];
      let places = 0;
      for (const operation of operations) {
        for (const place of operation.places) {
          places += 1;
          const where = `${operation.method} ${operation.path} ${place.in} ${'name' in place ? place.name : place.path.join('.')}`;
          const { status, headers, body } = await callWith(operation, place, text);
          const isProblem =
            headers['content-type'] === 'application/problem+json' && String(body['code']) in errorRules;
          if (status >= 500 || (status >= 400 && !isProblem)) wrong.push(`${where}: ${status} ${String(body['code'])}`);
        }
      }

      expect(wrong).toEqual([]);
      expect(places).toBeGreaterThan(operations.length);
      // Nothing of it reached anybody else, or the objects that all of them share.
      expect((await stack.call('GET', neighbour.path, { key: neighbour.key })).body).toEqual(neighbour.before);
      expect(Object.keys(Object.prototype)).toEqual([]);
    },
  );
});

/** The places at which all actions are one route: they are tried at the first of them alone, as the same code reads them. */
function withoutRepeats(operations: readonly Operation[]): readonly Operation[] {
  const actions = new Set(actionRows.map(({ method, path }) => `${method} /v1/connections/{connectionId}/${path}`));
  const isAction = ({ method, path }: Operation): boolean => actions.has(`${method} ${path}`);
  const first = operations.find(isAction);
  const isShared = (place: Place): boolean =>
    'name' in place
      ? place.in === 'header' || place.name === 'connectionId'
      : place.path.length === 1 && place.path[0] === 'expires_at';
  return operations.map((operation) =>
    operation === first || !isAction(operation)
      ? operation
      : { ...operation, places: operation.places.filter((place) => !isShared(place)) },
  );
}

function endsConnection({ path, method }: Pick<Operation, 'path' | 'method'>): boolean {
  return path.includes('{connectionId}') && (method === 'DELETE' || path.endsWith('{connectionId}/unlink'));
}

function encode(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return text;
  }
}
