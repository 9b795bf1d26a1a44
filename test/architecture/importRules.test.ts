import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * The rules of who may know whom, read from the import lines of the sources, so that a new file is covered by being
 * there.
 */
const root = resolve(import.meta.dirname, '../..');
const SOURCE_ROOTS = ['shared', 'functions', 'worker', 'infra', 'ops', 'extension'] as const;
/**
 * The floors of a folder, lowest first: each room may import only what stands to its left. Files that lie in the folder
 * itself put the rooms together and stand above all of them.
 */
const FLOORS: Readonly<Record<string, readonly string[]>> = {
  shared: [
    'kernel',
    'platform',
    'fleet',
    'audit',
    'identity',
    'tenant',
    'quota',
    'content',
    'wire',
    'connection',
    'media',
    'message',
    'bulk',
    'action',
    'event',
    'contact',
    'chat',
    'history',
    'archive',
    'webhook',
    'deadLetters',
  ],
  worker: [
    'vitals',
    'fleet',
    'facts',
    'session',
    'socket',
    'sending',
    'actions',
    'files',
    'runner',
    'commands',
    'status',
  ],
  functions: [
    'runtime',
    'http',
    'stream',
    'shardCount',
    'canary',
    'deliver',
    'ingest',
    'media',
    'reconcile',
    'dispatch',
    'taskStopped',
    'watchdog',
    'routes',
    'pairingPage',
    'archive',
    'admin',
    'api',
  ],
  infra: ['settings', 'access', 'constructs', 'dashboards', 'alarms', 'stacks', 'local'],
  'worker/socket': [
    'port',
    'wire',
    'repairs',
    'signal',
    'people',
    'sending',
    'appState',
    'actions',
    'files',
    'inbound',
    'pairing',
  ],
};

interface Import {
  readonly from: string;
  readonly to: string;
}

const filesIn = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
const read = (paths: readonly string[]): ReadonlyMap<string, string> =>
  new Map(paths.map((file) => [file, readFileSync(join(root, file), 'utf8')]));

const files = SOURCE_ROOTS.flatMap(filesIn);
const sources = read(files);

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'";]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g;

/** Imports of types count like all others. */
const importsIn = (texts: ReadonlyMap<string, string>): readonly Import[] =>
  [...texts].flatMap(([file, text]) =>
    [...text.matchAll(IMPORT)].map((match) => {
      const target = match[1] ?? match[2] ?? match[3] ?? '';
      const to = target.startsWith('.') ? relative(root, resolve(root, dirname(file), target)) : target;
      return { from: file, to };
    }),
  );
const imports = importsIn(sources);

const within = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);
const offending = (rule: (found: Import) => boolean): readonly string[] =>
  imports.filter(rule).map(({ from, to }) => `${from} imports ${to}`);

describe('import rules', () => {
  it('finds imports to judge', () => {
    expect(imports.length).toBeGreaterThan(100);
  });

  it('lets shared know nothing but shared', () => {
    const found = offending(
      ({ from, to }) =>
        within(from, 'shared') && ['functions', 'worker', 'infra', 'ops', 'test'].some((top) => within(to, top)),
    );

    expect(found).toEqual([]);
  });

  it('lets the extension and all else know nothing of each other', () => {
    const found = offending(({ from, to }) => within(from, 'extension') !== within(to, 'extension'));

    expect(found).toEqual([]);
  });

  it.each(Object.entries(FLOORS))('lets no arrow run up in %s', (folder, order) => {
    const floorOf = (path: string): number => {
      const [room = '', ...below] = relative(folder, path).split('/');
      return below.length === 0 ? order.length : order.indexOf(room);
    };

    const found = offending(
      ({ from, to }) => within(from, folder) && within(to, folder) && floorOf(to) > floorOf(from),
    );

    expect(found).toEqual([]);
    expect(files.filter((file) => within(file, folder) && floorOf(file) === -1)).toEqual([]);
  });

  it('lets the rest of a worker see a socket through its port alone', () => {
    const roots = ['worker/world.ts', 'worker/shardComposition.ts'];

    const found = offending(
      ({ from, to }) =>
        within(from, 'worker') &&
        !within(from, 'worker/socket') &&
        within(to, 'worker/socket') &&
        !within(to, 'worker/socket/port') &&
        !roots.includes(from),
    );

    expect(found).toEqual([]);
  });

  it('keeps functions and worker apart', () => {
    const found = offending(
      ({ from, to }) =>
        (within(from, 'functions') && ['worker', 'infra', 'ops', 'test'].some((top) => within(to, top))) ||
        (within(from, 'worker') && ['functions', 'infra', 'ops', 'test'].some((top) => within(to, top))),
    );

    expect(found).toEqual([]);
  });

  it('lets infra import entry points and shared, and no product logic', () => {
    const found = offending(({ from, to }) => within(from, 'infra') && within(to, 'worker') && to !== 'worker/main.ts');

    expect(found).toEqual([]);
  });

  it('lets the operations command line know shared, the settings of a stage and the client of the API, and nobody know it', () => {
    const allowed = (to: string): boolean =>
      within(to, 'shared') || within(to, 'infra/settings') || to === 'infra/local/apiClient.ts';

    const found = offending(
      ({ from, to }) =>
        (within(from, 'ops') && files.includes(to) && !within(to, 'ops') && !allowed(to)) ||
        (!within(from, 'ops') && within(to, 'ops')),
    );

    expect(found).toEqual([]);
    expect(offending(({ from, to }) => within(from, 'ops') && within(to, 'test'))).toEqual([]);
  });

  it('speaks to Baileys in one room', () => {
    const found = offending(
      ({ from, to }) => (to.includes('baileys') || to.startsWith('libsignal')) && !within(from, 'worker/socket'),
    );

    expect(found).toEqual([]);
  });

  it('decodes files of strangers in a program of its own, which nothing else loads', () => {
    const codecs = /^(?:sharp|mediabunny|@evan\/opus|mpg123-decoder|@wasm-audio-decoders\/.*)$/;
    const converter = 'functions/media/prepare/converter';
    const typesOf = 'functions/media/prepare';

    const loaders = offending(({ from, to }) => codecs.test(to) && !within(from, converter));
    const users = offending(
      ({ from, to }) => within(to, converter) && !within(from, converter) && !within(from, typesOf),
    );
    const imported = [...sources]
      .filter(([file]) => within(file, typesOf) && !within(file, converter))
      .flatMap(([file, text]) => [...text.matchAll(/import (?!type )[^;]*from '\.\/converter\/.*'/g)].map(() => file));

    expect(imports.some(({ to }) => to === 'sharp')).toBe(true);
    expect([loaders, users, imported]).toEqual([[], [], []]);
  });

  it('reads the environment in one place', () => {
    const readers = [...sources]
      .filter(([file, text]) => /process\.env\b/.test(text) && file !== 'shared/platform/config.ts')
      // The composition root of the embedded stack hands its own environment on to the processes that it starts.
      .filter(([file]) => !within(file, 'infra'))
      .map(([file]) => file);

    expect(readers).toEqual([]);
  });

  it('asks for lists in one place, which reads them to their end', () => {
    const readers = [...sources]
      .filter(([, text]) => /\b(?:Query|Scan|ExecuteStatement)Command\b|\bpaginate(?:Query|Scan)\b/.test(text))
      .map(([file]) => file);

    // The table of commands names their classes and asks for nothing.
    expect(readers.filter((file) => file !== 'shared/platform/storeCommands.ts')).toEqual(['shared/platform/pages.ts']);
  });

  it('lets the product know nothing of its tests, but the simulator that the embedded stack starts', () => {
    const found = offending(
      ({ from, to }) => within(to, 'test') && !(within(from, 'infra/local') && within(to, 'test/whatsapp')),
    );

    expect(found).toEqual([]);
  });

  it('has no cycles, nor have the tests', () => {
    const all = [...imports, ...importsIn(read(filesIn('test')))];
    const targets = Map.groupBy(all, ({ from }) => from);
    const graph = new Map([...targets].map(([file, found]) => [file, found.map(({ to }) => to)]));

    expect(graph.size).toBeGreaterThan(600);
    expect(findCycle(graph)).toBeUndefined();
  });
});

/** The first cycle of a graph as a list of its nodes, or undefined. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    done.add(node);
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next, [...path, node]);
      if (cycle !== undefined) return cycle;
    }
    return undefined;
  };
  for (const node of graph.keys()) {
    const cycle = visit(node, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
