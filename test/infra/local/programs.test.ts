import { execFile } from 'node:child_process';
import { createHash, hkdfSync } from 'node:crypto';
import { promisify } from 'node:util';
import * as original from 'whatsapp-rust-bridge';
import { beforeAll, describe, expect, it } from 'vitest';
import { makePrograms, NODE_FLAGS, programFile } from '../../../infra/local/programs.ts';
import * as whenNeeded from '../../../worker/socket/repairs/bridgeWhenNeeded.ts';

const run = promisify(execFile);
const THROWING = 'test/infra/local/throwing.ts';
const said: string[] = [];
const make = () => makePrograms((line) => said.push(line), [THROWING]);

describe('the programs of the embedded stack', () => {
  let folder: string | undefined;
  beforeAll(async () => {
    folder = await make();
  });

  it('are made once, also when several processes ask at the same moment', async () => {
    const folders = await Promise.all([make(), make(), make()]);

    expect(said).toEqual([]);
    expect(new Set([...folders, folder]).size).toBe(1);
  });

  it('name their sources when they fail', async () => {
    const failed = run(process.execPath, [...NODE_FLAGS, programFile(THROWING, folder)]);

    await expect(failed).rejects.toMatchObject({ stderr: expect.stringContaining(`${THROWING}:7:`) });
    await expect(failed).rejects.toMatchObject({ stderr: expect.stringContaining('at fail') });
  });

  it('include a worker that finds its packages, and says which settings it lacks', async () => {
    const failed = run(process.execPath, [...NODE_FLAGS, programFile('worker/main.ts', folder)], { env: {} });

    await expect(failed).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('HOLDFAST_STAGE') });
  });
});

describe("Baileys' WebAssembly, loaded when it is needed", () => {
  const bytes = (text: string): Uint8Array => new Uint8Array(createHash('sha512').update(text).digest());
  const derived = { salt: bytes('salt'), info: 'WhatsApp Media Retry Notification' };

  it('gives the same digests and keys as the original', () => {
    expect(whenNeeded.md5(bytes('a'))).toEqual(original.md5(bytes('a')));
    expect(whenNeeded.hkdf(bytes('key'), 112, derived)).toEqual(original.hkdf(bytes('key'), 112, derived));
    expect(whenNeeded.hkdf(bytes('key'), 64, { info: '' })).toEqual(original.hkdf(bytes('key'), 64, { info: '' }));
    expect(whenNeeded.hkdf(bytes('key'), 32, {})).toEqual(
      new Uint8Array(hkdfSync('sha256', bytes('key'), new Uint8Array(0), '', 32)),
    );
  });

  it('gives the same app state as the original', () => {
    const [base, key] = [new Uint8Array(128), bytes('key').subarray(0, 32)];
    const add = [bytes('one').subarray(0, 32), bytes('two').subarray(0, 32)];
    const hash = (of: typeof whenNeeded | typeof original) =>
      new of.LTHashAntiTampering().subtractThenAdd(base, [], add);

    expect(hash(whenNeeded)).toEqual(hash(original));
    expect(whenNeeded.expandAppStateKeys(key).valueMacKey).toEqual(original.expandAppStateKeys(key).valueMacKey);
  });
});
