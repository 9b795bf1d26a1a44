import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Figure } from '../../infra/local/ops/figures.ts';
import { ApiClient } from '../../infra/local/apiClient.ts';
import { pairSandboxPhone } from '../../infra/local/pairing.ts';
import { startStack } from '../../infra/local/stack.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import { until } from '../../infra/local/until.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../infra/local/webhookReceiver.ts';
import { metricCatalogue } from '../../shared/platform/metricCatalogue.ts';
import { makeQueueClient } from '../../shared/platform/aws.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { assertQuiet } from '../quiet/findSecrets.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { smoke } from '../../ops/smoke.ts';
import { findTarget } from '../../ops/target.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { makeOps, type Ended } from './opsProcess.ts';

const SHOP = '4915100000001';
const CUSTOMER = '4915100000003';

describe('npm run ops, on the embedded stack', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-ops-'));
  const tenantKeyFile = join(dataDir, 'tenant-key');
  let stack: RunningStack;
  let receiver: WebhookReceiver;
  let api: ApiClient;
  let webhook = '';
  let tenantId = '';
  const run = makeOps({});
  const ops = (...words: string[]): Promise<Ended> => run(...words, '--data', dataDir);
  beforeAll(async () => {
    [stack, receiver] = await Promise.all([
      startStack({
        dataDir,
        port: 0,
        live: false,
        workers: 2,
        say: () => undefined,
        onBroken: (reason) => expect.fail(reason),
      }),
      startWebhookReceiver(),
    ]);
    const whatsApp = new WhatsAppClient(stack.whatsAppControlUrl ?? '');
    await whatsApp.addPhone(SHOP, 'Shop');
    await whatsApp.addPhone(CUSTOMER, 'Customer');
    const operator = new ApiClient(stack.apiUrl, stack.operatorKey);
    tenantId = String((await operator.must('POST', '/v1/admin/tenants', { name: 'Acme' }))['id']);
    const key = String((await operator.must('POST', `/v1/admin/tenants/${tenantId}/api-keys`, {}))['secret']);
    writeFileSync(tenantKeyFile, key);
    api = new ApiClient(stack.apiUrl, key);
    const made = await api.must('POST', '/v1/webhooks', { url: receiver.url });
    receiver.trust(String(made['secret']));
    webhook = String(made['id']);
    const shop = await pairSandboxPhone(api, whatsApp, { number: SHOP, method: 'qr' });
    await api.must('POST', `/v1/connections/${shop}/messages`, {
      to: `+${CUSTOMER}`,
      type: 'text',
      text: { body: 'Hello' },
    });
    await until(
      'the delivery',
      () => receiver.events.map(({ data }) => data['status']),
      (statuses) => statuses.includes('delivered'),
    );
  });
  afterAll(async () => {
    await receiver.stop();
    await stack.stop();
    // The simulator is not the product: it prints the public key that clients pin.
    const files = readdirSync(join(dataDir, 'logs')).filter((file) => file !== 'whatsapp.log');
    const logs = files.map((file) => readFileSync(join(dataDir, 'logs', file), 'utf8')).join('\n');
    assertQuiet(logs, [stack.operatorKey]);
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('whatsapp-version names a canary, promotes it, and rolls back', async () => {
    const before = await ops('whatsapp-version');
    const canary = await ops('whatsapp-version', '--set', '2.3000.2000000001', '--canary', '5', '--by', 'ann');
    const promoted = await ops('whatsapp-version', '--promote', '--by', 'ann');
    const rolledBack = await ops('whatsapp-version', '--roll-back', '--by', 'ann');
    const nothing = await ops('whatsapp-version', '--promote');

    expect(before.stdout).toMatch(/^version {3}2\.3000\.\d+ \(vetted in this release\)\nbreaker {3}closed\n$/);
    expect(canary.stdout).toContain('canary    2.3000.2000000001 for 5 % of the connections\n');
    expect(promoted.stdout).toContain('version   2.3000.2000000001 (named by an operator)\n');
    expect(rolledBack.stdout).toContain('previous  2.3000.2000000001\n');
    expect(rolledBack.stdout).toMatch(/rolled back 2\.3000\.2000000001 by ann\n/);
    expect(nothing).toMatchObject({ code: 1, stderr: 'There is no canary to promote.\n' });
  });

  it('status shows workers, shards, connections and queues', async () => {
    const { code, stdout } = await ops('status');

    expect(code).toBe(0);
    expect(stdout).toContain(`Holdfast at ${stack.apiUrl}\n`);
    expect(stdout).toMatch(/^mode normal {3}brake off {3}leader wrk_\w+ {3}deputy wrk_\w+$/m);
    expect(stdout).toMatch(/^shards 4: 4 owned, 0 orphaned, 0 moving$/m);
    for (const { workerId } of stack.workers()) expect(stdout).toMatch(new RegExp(`^${workerId} +ALIVE`, 'm'));
    expect(stdout).toMatch(/^1 connection wanted online: 1 online$/m);
    expect(stdout).toMatch(/^commands +4 +\d+ +\d+ +0$/m);
    expect(stdout).toMatch(/^deliveries +2 +\d+ +\d+ +0$/m);
  });

  it('status names the API alone when no stage is named', async () => {
    const { code, stdout } = await run('status', '--url', stack.apiUrl, '--key-file', join(dataDir, 'operator-key'));

    expect(code).toBe(0);
    expect(stdout).toMatch(/^shards 4: 4 owned/m);
    expect(stdout).toContain('not read, because no --stage is named');
  });

  it('health finds nothing bad, and version and scale tell of the fleet', async () => {
    const health = await ops('health');
    const version = await ops('version');
    const scale = await ops('scale', '--connections', '3000');

    expect(health.stdout).not.toMatch(/^bad/m);
    expect(health.code).toBe(0);
    expect(version.stdout).toMatch(/^fleet {5}generation 0: 2 workers$/m);
    expect(scale.stdout).toMatch(/^start 2 workers more\nadd 71 shards$/m);
  });

  it('report gives what is known, with a tenant key its messages too, and says what is not known', async () => {
    const { code, stdout } = await ops('report', '--tenant-key-file', tenantKeyFile);

    expect(code).toBe(0);
    expect(stdout).toMatch(/^10 calls: median \d+ ms, slowest \d+ ms$/m);
    expect(stdout).toMatch(/^sent 1, delivered 1, failed 0, expired 0: 0\.0 % not sent; received 0$/m);
    expect(stdout).toMatch(/^from sent to delivered: median \d+ ms/m);
    expect(stdout).toContain('Not known here');
  });

  it('redrive sends a dead delivery again: the customer gets the event once more', async () => {
    const [event] = receiver.events;
    const queue = makeQueueClient(aStoreConfig({ queues: { endpoint: stack.sqsEndpoint, queueUrlBase: '' } }));
    const letter = {
      version: 1,
      tenantId,
      endpointId: webhook,
      eventId: event?.id,
      correlationId: 'cor-redrive',
      deliveryId: 'dlv_redrive',
    };
    await queue.send(
      new SendMessageCommand({
        QueueUrl: `${stack.sqsEndpoint}/000000000000/${stack.stage}-deliveries-dead`,
        MessageBody: JSON.stringify(letter),
      }),
    );
    const before = receiver.repeats();

    const dead = await ops('health');
    const { code, stdout } = await ops('redrive', '--by', 'ada');

    expect(dead.stdout).toContain('look  Dead letters: 1 deliveries.');
    expect(code).toBe(0);
    expect(stdout).toBe(
      'commands: 0 letters moved\nevents: 0 letters moved\ndeliveries: 1 letter moved\nmedia: 0 letters moved\n',
    );
    await until('the event again', receiver.repeats, (count) => count === before + 1);
    queue.destroy();
  });

  it('shows at /ops what the processes have said of the traffic so far, to operators alone', async () => {
    const read = async (key: string) =>
      fetch(`${stack.apiUrl}/ops/metrics.json`, { headers: { authorization: `Bearer ${key}` } });
    const seen = async (title: string): Promise<number> => {
      const { dashboards } = (await (await read(stack.operatorKey)).json()) as {
        readonly dashboards: readonly { readonly figures: readonly Figure[] }[];
      };
      const figure = dashboards.flatMap(({ figures }) => figures).find((found) => found.title === title);
      const points = figure?.lines.flatMap((line) => line.points) ?? [];
      return points.reduce<number>((sum, point) => sum + (point ?? 0), 0);
    };

    const attempts = metricCatalogue.DeliveryAttempts.question;
    const sums = await until(
      'figures',
      async () => [await seen('How many requests?'), await seen(attempts)],
      (found) => found.every((sum) => sum > 0),
    );
    const tenant = await read(readFileSync(tenantKeyFile, 'utf8'));

    expect(sums.every((sum) => sum >= 2)).toBe(true);
    expect(tenant.status).toBe(403);
  });

  it('create-operator-key makes a key with which an operator can call', async () => {
    const { code, stdout } = await ops('create-operator-key');

    const secret = /^key_\w+ {2}(hf_operator_\S+)$/m.exec(stdout)?.[1] ?? '';
    const answer = await new ApiClient(stack.apiUrl, secret).call('GET', '/v1/admin/fleet');
    expect(code).toBe(0);
    expect(answer.status).toBe(200);
  });

  it('drain waits until the worker has given everything away, and says why it may not', async () => {
    const [first] = stack.workers();
    const workerId = first?.workerId ?? '';

    const drained = await ops('drain', workerId, '--wait');
    const again = await ops('drain', workerId);
    const nobody = await ops('drain', 'wrk_nobody');

    expect(drained.stdout).toMatch(new RegExp(`^${workerId} was asked to give \\d shards? away and end\\.$`, 'm'));
    expect(drained.stdout).toMatch(/has ended after \d+ s, with everything given away\.$/m);
    expect(drained.code).toBe(0);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toContain('This worker is dead, so there is nothing to drain.');
    expect(nobody).toMatchObject({ code: 1, stderr: 'There is no such worker. List them with GET /v1/admin/fleet.\n' });
  });

  it('smoke links a phone that scans the QR, and a message goes from it to itself', async () => {
    const whatsApp = new WhatsAppClient(stack.whatsAppControlUrl ?? '');
    const number = '4915100000009';
    await whatsApp.addPhone(number, 'Smoke');
    const said: string[] = [];

    await smoke({
      clock: systemClock,
      target: findTarget({ data: dataDir }, {}),
      say: (line) => void said.push(line),
      showQr: async (qr) => void (await whatsApp.scan(number, qr)),
    });

    expect(said).toContain(`+${number} is linked and online.`);
    expect(said.join('\n')).toMatch(/A message to itself is (sent|delivered|read) after \d+ ms\./);
  });

  it('says that nothing runs once the stack has stopped', async () => {
    await stack.stop();

    const { code, stderr } = await ops('status');

    expect(code).toBe(2);
    expect(stderr).toBe(
      `No embedded stack runs on ${dataDir}: start it with npm start -- --data ${dataDir}, or name another with --data.\n`,
    );
  });
});
