import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseSettings } from '../../../infra/settings/settings.ts';
import { readAccount } from '../../../ops/aws/accountFacts.ts';
import { judgeAccount, type AccountFacts } from '../../../ops/aws/preflight.ts';
import { fresh, ready, small, startAccount, type StubAccount } from './accountStub.ts';

const REGION = 'eu-central-1';
const stops: (() => Promise<void>)[] = [];
beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'ann');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

/** What an account says of itself, read through the SDK. Whether Docker is here is a matter of this machine. */
async function factsOf(account: StubAccount): Promise<AccountFacts> {
  const { endpoint, stop } = await startAccount(account);
  stops.push(stop);
  return { ...(await readAccount({ region: REGION, endpoint })), buildx: 'github.com/docker/buildx v0.30.0' };
}

const sentencesOf = (facts: AccountFacts, settings: object, verdict: string): readonly string[] =>
  judgeAccount(facts, parseSettings({ alarmEmail: 'ops@example.com', ...settings }))
    .filter((finding) => finding.verdict === verdict)
    .map(({ sentence }) => sentence);

describe('preflight', () => {
  it('says for a fresh account all that stops a deploy, each with the command that mends it', async () => {
    const facts = await factsOf(fresh);

    const stopping = sentencesOf(facts, {}, 'stop');

    expect(facts).toMatchObject({
      account: '111122223333',
      region: REGION,
      lambdaConcurrency: 10,
      bootstrap: undefined,
    });
    expect(stopping).toEqual([
      expect.stringMatching(
        /^Lambda may run 10 .* -c accountConcurrency=10, .*--quota-code L-B99A9384 --desired-value 1000$/,
      ),
      'The role AWSServiceRoleForECS is missing: aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com',
      expect.stringContaining('--aws-service-name ecs.application-autoscaling.amazonaws.com'),
      'The account was not prepared for CDK in eu-central-1: npx cdk bootstrap aws://111122223333/eu-central-1',
    ]);
  });

  it('lets a small account go ahead without reservations, and says what it would take to have them', async () => {
    const facts = await factsOf(small);

    expect(sentencesOf(facts, { accountConcurrency: 10 }, 'stop')).toEqual([]);
    expect(sentencesOf(facts, { accountConcurrency: 10 }, 'look')).toEqual([
      expect.stringContaining('so none reserves a share. Ask for more: aws service-quotas'),
    ]);
  });

  it('has nothing to say against an account that is ready', async () => {
    const facts = await factsOf(ready);

    expect(sentencesOf(facts, {}, 'stop')).toEqual([]);
    expect(sentencesOf(facts, {}, 'look')).toEqual([]);
    expect(sentencesOf(facts, {}, 'fine').length).toBeGreaterThan(5);
  });

  it('says that nobody is logged in, in one sentence', async () => {
    await expect(factsOf({ ...ready, isLoggedIn: false })).rejects.toThrow(
      'AWS does not know who is asking: log in first, for example with aws sso login',
    );
  });

  it('goes on without a figure that it may not read', async () => {
    const facts = await factsOf({ ...ready, quotas: {} });

    expect(sentencesOf(facts, {}, 'look')).toEqual([
      'The quota "Concurrent executions" of Lambda could not be read.',
      'The quota of Fargate for vCPUs could not be read.',
    ]);
  });

  const base: AccountFacts = {
    account: '111122223333',
    region: REGION,
    lambdaConcurrency: 1_000,
    fargateCpus: 500,
    elasticIps: 5,
    serviceRoles: small.roles,
    bootstrap: 21,
    zones: 3,
    buildx: 'buildx',
  };
  it.each<[what: string, facts: Partial<AccountFacts>, settings: object, verdict: string, words: string]>([
    [
      'too few vCPUs, counting those that a deploy adds',
      { fargateCpus: 32 },
      { shape: '10k' },
      'stop',
      'needs up to 33 with',
    ],
    ['no Elastic IP for a NAT gateway', { elasticIps: 1 }, { network: 'private' }, 'stop', '--quota-code L-0263D0A3'],
    ['Elastic IPs that others may use', {}, { network: 'private' }, 'look', 'others may use some already'],
    ['an old bootstrap stack', { bootstrap: 3 }, {}, 'stop', 'has version 3 and must have 6 or higher'],
    ['too few zones', { zones: 2 }, { zones: 3 }, 'stop', 'has 2 availability zones, and the stage wants 3'],
    ['zones that cannot be counted', { zones: undefined }, {}, 'look', 'could not be read'],
    ['no Docker', { buildx: undefined }, {}, 'stop', 'Docker with BuildKit is missing'],
    ['nobody who hears alarms', {}, { alarmEmail: undefined }, 'look', 'Nobody is told of alarms'],
    [
      'a quota that the settings do not use yet',
      {},
      { accountConcurrency: 10 },
      'look',
      'set accountConcurrency to that',
    ],
  ])('says what to do about %s', (_, facts, settings, verdict, words) => {
    expect(sentencesOf({ ...base, ...facts }, settings, verdict)).toEqual([expect.stringContaining(words)]);
  });
});
