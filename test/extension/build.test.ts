import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildExtension } from '../../scripts/buildExtension.ts';

const ORIGIN = 'https://api.example.com';

describe('the browser extension, as it is built', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-extension-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const built = async (name: string, origins: readonly string[]): Promise<Readonly<Record<string, string>>> => {
    const out = join(folder, name);
    await buildExtension(out, origins);
    return Object.fromEntries(readdirSync(out).map((file) => [file, readFileSync(join(out, file), 'utf8')]));
  };

  it('is the same bytes for the same origins, in whatever order they are named', async () => {
    const other = 'https://pair.example.org';

    expect(await built('one', [ORIGIN, other])).toEqual(await built('two', [other, ORIGIN]));
  });

  it('asks for no permission, runs on pairing pages and one text of WhatsApp alone, and hears no site', async () => {
    const { 'manifest.json': manifest = '' } = await built('manifest', [ORIGIN]);

    const { content_scripts: scripts, ...rest } = JSON.parse(manifest) as Record<string, unknown>;
    expect(scripts).toEqual([
      { matches: [`${ORIGIN}/pair*`], js: ['page.js'], run_at: 'document_start' },
      { matches: ['https://web.whatsapp.com/robots.txt*'], js: ['window.js'], run_at: 'document_end' },
    ]);
    expect(Object.keys(rest).toSorted()).toEqual([
      'background',
      'description',
      'manifest_version',
      'minimum_chrome_version',
      'name',
      'version',
    ]);
  });

  it('can be read, and loads, stores and runs nothing else', async () => {
    const { 'manifest.json': _manifest, ...scripts } = await built('scripts', [ORIGIN]);

    expect(Object.keys(scripts).toSorted()).toEqual(['background.js', 'page.js', 'window.js']);
    for (const text of Object.values(scripts)) {
      expect(text).not.toMatch(/\b(?:fetch|XMLHttpRequest|eval|localStorage|indexedDB|innerHTML|storage)\b/);
      expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(400);
    }
  });

  it.each([
    'api.example.com',
    'http://api.example.com',
    'https://api.example.com/',
    'https://*.example.com/pair',
    'https://*',
    'https://*.example.com',
    '*',
  ])('is not built for %s, and says what to write', async (origin) => {
    await expect(buildExtension(join(folder, 'none'), [origin])).rejects.toThrow('Write it like https://');
  });
});
