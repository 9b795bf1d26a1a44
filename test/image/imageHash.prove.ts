import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { FileSystem } from 'aws-cdk-lib';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSettings } from '../../infra/settings/settings.ts';
import { shapeNames, type ShapeName } from '../../infra/settings/shapes.ts';
import { WorkerStack } from '../../infra/stacks/workerStack.ts';
import { makeWorkerImage, type WorkerImage } from '../../scripts/workerImage.ts';
import { makeApp } from '../infra/synthesizeStage.ts';

interface Locked {
  readonly version?: string;
  readonly dev?: boolean;
}
interface LockFile {
  readonly packages: Record<string, Locked>;
}

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
const PATIENCE_MS = 120_000;

/** Every deploy of another image moves every socket once, so it is another one only when what a worker runs is. */
describe('the hash of the worker image', { timeout: PATIENCE_MS }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-hash-'));
  const original = join(folder, 'original');
  let image: WorkerImage;
  beforeAll(async () => {
    image = await makeWorkerImage(original);
  }, PATIENCE_MS);
  afterAll(() => rmSync(folder, { recursive: true }));

  /** The repository in another place, with some of its files changed. Resolves to the folder that its image is built from. */
  const madeAfter = async (
    name: string,
    changes: Readonly<Record<string, (text: string) => string>>,
  ): Promise<string> => {
    const copy = join(folder, name);
    mkdirSync(copy);
    for (const part of ['worker', 'shared', 'scripts', 'Dockerfile', 'NOTICE', 'package.json', 'package-lock.json']) {
      cpSync(join(root, part), join(copy, part), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir');
    for (const [file, change] of Object.entries(changes)) {
      const text = readFileSync(join(copy, file), 'utf8');
      expect(change(text)).not.toBe(text);
      writeFileSync(join(copy, file), change(text));
    }
    await run(process.execPath, ['scripts/workerImage.ts', '--out', 'image'], { cwd: copy });
    return join(copy, 'image');
  };
  const hashOf = (made: string): string => FileSystem.fingerprint(made);
  const inImage = (place: string): boolean => image.bundled.includes(place) || image.installed.includes(place);
  /** Has packages that a worker runs without at other versions. */
  const bumped =
    (isBumped: (place: string, locked: Locked) => boolean) =>
    (text: string): string => {
      const lock = JSON.parse(text) as LockFile;
      for (const [place, locked] of Object.entries(lock.packages)) {
        if (!isBumped(place, locked)) continue;
        lock.packages[place] = { ...locked, version: '99.0.0' };
      }
      return JSON.stringify(lock, null, 2);
    };
  const templateOf = (shape: ShapeName, made: string): string => {
    const app = makeApp({ validate: false });
    app.node.setContext('aws:cdk:disable-asset-staging', true);
    const settings = parseSettings({ stage: 'test', ...(shape === 'small' ? {} : { shape }) });
    const workers = new WorkerStack(app, 'test-workers', {
      settings,
      image: ContainerImage.fromAsset(made, { platform: Platform.LINUX_ARM64 }),
      dataKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/1',
    });
    return JSON.stringify(app.synth().getStackByName(workers.stackName).template, null, 1);
  };

  it('stays when development dependencies and packages of other parts are bumped, and no template changes', async () => {
    const made = await madeAfter('bumped', {
      'package-lock.json': bumped((place) => place !== '' && !inImage(place)),
      'package.json': (text) => text.replace(/"vitest": "[^"]+"/, '"vitest": "99.0.0"'),
      'scripts/lockfilePlatforms.ts': (text) => `${text}// More.\n`,
    });

    expect(hashOf(made)).toBe(hashOf(original));
    for (const shape of shapeNames) expect(templateOf(shape, made)).toBe(templateOf(shape, original));
  });

  it('changes with the code of a worker, and in the templates the image of its two tasks alone', async () => {
    const made = await madeAfter('changed', {
      'worker/main.ts': (text) => text.replace("'worker stopped'", "'worker has stopped'"),
    });

    expect(hashOf(made)).not.toBe(hashOf(original));
    for (const shape of shapeNames) {
      const before = templateOf(shape, original).split('\n');
      const changed = templateOf(shape, made)
        .split('\n')
        .filter((line, index) => line !== before[index]);
      expect(changed).toHaveLength(2);
      for (const line of changed) expect(line).toContain('container-assets');
    }
  });

  it('cannot come of other packages than those that are locked', async () => {
    const made = madeAfter('unlike', {
      'package-lock.json': bumped((place) => place === 'node_modules/@whiskeysockets/baileys'),
    });

    await expect(made).rejects.toThrow(/node_modules\/@whiskeysockets\/baileys is \S+ here.*99\.0\.0: run npm ci/);
  });
});
