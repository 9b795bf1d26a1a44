import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * Timers, child processes and servers have an owner: they are made through a scope or a clock, which end
 * them, and nowhere else. A new place must say here who releases what it makes.
 */
const root = resolve(import.meta.dirname, '../..');
const SOURCE_ROOTS = ['shared', 'functions', 'worker', 'infra/local'] as const;

interface Rule {
  readonly what: string;
  readonly pattern: RegExp;
  /** Files in which it may stand, each with the reason. */
  readonly except: Readonly<Record<string, string>>;
}

const rules: readonly Rule[] = [
  {
    what: 'a timer of its own',
    pattern: /(?<![\w.])(?:global(?:This)?\.)?(?:setTimeout|setInterval|setImmediate)\(/,
    except: {
      'shared/kernel/clock.ts': 'the only timer; each has a signal that ends it, and scopes are built on it',
      'worker/socket/port/fairTurns.ts': 'yields to the event loop for one turn; nothing is left to release',
      'worker/socket/repairs/mediaDispatcher.ts': 'one for each download, cleared when it ends',
      'shared/platform/storeRequest.ts': 'one for each request, cleared when it is settled',
      'functions/media/prepare/runProgram.ts': 'two for each program that runs, cleared when it ends',
      'functions/media/prepare/converter/main.ts': 'one, of a process that does one thing and ends',
      'functions/pairingPage/browser/main.ts': 'of a page in a browser, which ends them with itself',
      'functions/pairingPage/browser/sandbox.ts': 'as above',
      'infra/local/queueJournal.ts': 'the end of the present turn; nothing is left to release',
      'infra/local/queueWaiters.ts': 'of the queue emulator, which clears it when no poll waits',
      'infra/local/ops/awsStandIns.ts': 'of the embedded stack alone, with a stop',
    },
  },
  {
    what: 'an abort signal with a timer of its own',
    pattern: /AbortSignal\.timeout\(/,
    except: {
      'functions/canary/handler.ts': 'one request; a function is frozen between two calls',
      'functions/shardCount/handler.ts': 'one request, as above',
      'functions/http/readParameter.ts': 'one request, as above',
      'functions/pairingPage/browser/session.ts': 'one request of a page in a browser',
      'functions/pairingPage/browser/extension.ts': 'as above',
      'functions/pairingPage/browser/sandbox.ts': 'as above',
      'infra/local/sandboxDesk.ts': 'one request; the platform does not keep a process for such a timer',
      'worker/ecsTask.ts': 'one request, before anything is owned',
      'worker/status/askHealth.ts': 'one request, of a process that ends with it',
      'infra/local/apiClient.ts': 'one request; the platform does not keep a process for such a timer',
      'infra/local/dynamoDb.ts': 'one request, as above',
    },
  },
  {
    what: 'a child process',
    pattern: /(?<![\w.])(?:spawn|fork|execFile|exec)\(|new Worker\(/,
    except: {
      'functions/media/prepare/runProgram.ts': 'ended at its deadline, and gone when the call is over',
      'infra/local/childProcess.ts': 'ends with its parent, and its log with it',
      'infra/local/dynamoDb.ts': 'has a stop, and is killed on exit',
      'infra/local/pairingPage.ts': 'ends by itself or by its deadline, before the API listens',
      'infra/local/programs.ts': 'ends by itself or by its deadline, before anything else is started',
    },
  },
  {
    what: 'a server',
    pattern: /(?<![\w.])createServer\(/,
    except: {
      'worker/status/statusServer.ts': 'one for each process, held by its scope; it keeps no process alive',
      'functions/stream/streamServer.ts': 'one for each process, which ends with it',
      'infra/local/dynamoDb.ts': 'finds a free port and is closed at once',
      'infra/local/steadyServer.ts': 'its caller listens and closes: the host of the functions, the simulator',
      'infra/local/ports.ts': 'asks whether a port is free, and is closed at once',
      'infra/local/webhookReceiver.ts': 'of the demo alone, with a stop',
    },
  },
  {
    what: 'a measurement of the event loop, which has a timer',
    pattern: /(?<![\w.])monitorEventLoopDelay\(/,
    except: { 'worker/vitals/loopDelay.ts': 'once for each process' },
  },
];

/** Lines that break a rule, without comments. */
function offences(file: string, text: string): readonly string[] {
  const code = text.replace(/\/\*[^]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return rules.flatMap(({ what, pattern, except }) =>
    pattern.test(code) && !(file in except) ? [`${file} makes ${what}`] : [],
  );
}

const sources = SOURCE_ROOTS.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
).map((file) => [file, readFileSync(join(root, file), 'utf8')] as const);

describe('timers, child processes and servers', () => {
  it('are made only where somebody is named who ends them', () => {
    const found = sources.flatMap(([file, text]) => offences(file, text));

    expect(sources.length).toBeGreaterThan(100);
    expect(found).toEqual([]);
  });

  it('are still made in each file that is excepted', () => {
    const texts = new Map(sources);

    const idle = rules.flatMap(({ what, pattern, except }) =>
      Object.keys(except)
        .filter((file) => !pattern.test(texts.get(file) ?? ''))
        .map((file) => `${file}: ${what}`),
    );

    expect(idle).toEqual([]);
  });

  it.each([
    ['const timer = setTimeout(() => work(), 1_000);', 'a timer of its own'],
    ['globalThis.setInterval(work, 5);', 'a timer of its own'],
    ['await new Promise((resolve) => setTimeout(resolve, 20));', 'a timer of its own'],
    ['setImmediate(() => work());', 'a timer of its own'],
    ["spawn('ls', []);", 'a child process'],
    ["const child = fork('worker.js');", 'a child process'],
    ['createServer((request, response) => undefined);', 'a server'],
    ['fetch(url, { signal: AbortSignal.timeout(5) });', 'an abort signal with a timer of its own'],
    ['// setTimeout(() => work(), 1_000);', undefined],
    ['/* spawn(ls) */ clock.sleep(5, signal); scope.interval(5, work);', undefined],
  ])('are found: %s', (code, what) => {
    const found = offences('worker/somewhere.ts', code);

    expect(found).toEqual(what === undefined ? [] : [`worker/somewhere.ts makes ${what}`]);
  });
});
