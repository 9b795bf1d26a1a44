import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { refuseVersion, VETTED_VERSION } from '../../../shared/fleet/whatsAppVersion.ts';
import { changeVersionPlan, versionKey } from '../../../shared/fleet/whatsAppVersionStore.ts';
import { ApiStack, type Answered } from '../api/apiStack.ts';

const PATH = '/v1/admin/whatsapp-version';
const NEW = '2.3000.2000000001';

describe("the version of WhatsApp's client, as operators choose it", () => {
  let stack: ApiStack;
  beforeAll(async () => {
    stack = await ApiStack.start();
  });
  beforeEach(async () => {
    await stack.dependencies.table.send(new DeleteCommand({ TableName: 'test-fleet', Key: { ...versionKey } }));
  });
  afterAll(() => stack.stop());
  const call = (method: string, rest = '', body?: unknown): Promise<Answered> =>
    stack.call(method, `${PATH}${rest}`, { key: stack.operatorKey, ...(body === undefined ? {} : { body }) });
  const changesOf = ({ body }: Answered) =>
    (body['changes'] as readonly Record<string, string>[]).map(
      ({ kind, version, by }) => `${kind} ${version} by ${by}`,
    );

  it.each([
    ['GET', PATH],
    ['PUT', PATH],
    ['POST', `${PATH}/roll-back`],
  ])('%s %s needs the key of an operator', async (method, path) => {
    const tenant = await stack.tenant();

    const none = await stack.call(method, path, { body: {} });
    const tenants = await stack.call(method, path, { key: tenant.key, body: {} });

    expect([none.status, tenants.status]).toEqual([401, 403]);
  });

  it('is the one of the release until an operator names one', async () => {
    const { status, body } = await call('GET');

    expect(status).toBe(200);
    expect(body).toEqual({
      version: VETTED_VERSION,
      source: 'release',
      refused: [],
      breaker: 'closed',
      changes: [],
    });
  });

  it('goes to a share first, then to all, and back', async () => {
    const canary = await call('PUT', '', { version: NEW, canaryPercent: 5, by: 'ann' });
    const promoted = await call('PUT', '', { version: NEW });
    const rolledBack = await call('POST', '/roll-back', { by: 'bob' });

    expect(canary.body).toMatchObject({ version: VETTED_VERSION, candidate: NEW, canaryPercent: 5 });
    expect(promoted.body).toMatchObject({ version: NEW, source: 'operator', previous: VETTED_VERSION });
    expect(promoted.body).not.toHaveProperty('candidate');
    expect(rolledBack.body).toMatchObject({ version: VETTED_VERSION, source: 'release', previous: NEW });
    expect(changesOf(rolledBack)).toEqual([
      `rolled_back ${NEW} by bob`,
      `set ${NEW} by operator`,
      `canary ${NEW} by ann`,
    ]);
    expect((await call('GET')).body).toEqual(rolledBack.body);
  });

  it('shows that the breaker is open, and closes it when the version is named again', async () => {
    await changeVersionPlan(stack.dependencies, (plan) => refuseVersion(plan, VETTED_VERSION, Date.now()));

    const open = await call('GET');
    const closed = await call('PUT', '', { version: VETTED_VERSION });

    expect(open.body).toMatchObject({ breaker: 'open', refused: [VETTED_VERSION] });
    expect(closed.body).toMatchObject({ breaker: 'closed', refused: [] });
  });

  it('keeps every change that comes at the same moment', async () => {
    const versions = ['2.3000.11', '2.3000.12', '2.3000.13'];

    const answers = await Promise.all(versions.map((version) => call('PUT', '', { version })));

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(changesOf(await call('GET')).sort()).toEqual(versions.map((version) => `set ${version} by operator`));
  });

  it.each<readonly [what: string, body: unknown, field: string]>([
    ['no version', {}, 'version'],
    ['a version of two numbers', { version: '2.3000' }, 'version'],
    ['a version that is a list', { version: [2, 3000, 1] }, 'version'],
    ['a share of nothing', { version: NEW, canaryPercent: 0 }, 'canaryPercent'],
    ['a share over all', { version: NEW, canaryPercent: 101 }, 'canaryPercent'],
    ['half a percent', { version: NEW, canaryPercent: 0.5 }, 'canaryPercent'],
    ['a name with a blank', { version: NEW, by: 'a b' }, 'by'],
    ['an unknown field', { version: NEW, force: true }, 'force'],
    ['a canary of what all use', { version: VETTED_VERSION, canaryPercent: 5 }, 'version'],
  ])('refuses %s and names the field', async (_what, body, field) => {
    const answer = await call('PUT', '', body);

    expect([answer.status, answer.body['code']]).toEqual([400, 'invalid_request']);
    expect((answer.body['fields'] as readonly { field: string }[]).map((found) => found.field)).toContain(field);
  });

  it('refuses a roll-back when there is nothing to go back to', async () => {
    const { status, body } = await call('POST', '/roll-back', {});

    expect([status, body['code']]).toEqual([409, 'nothing_to_roll_back']);
  });
});
