import { argumentsAt, argumentsOf, blankTexts, importedNames, type Span } from './sourceText.ts';

/**
 * Finds in a source what may wait for the outside world without a deadline. It knows no types, so it goes by names: a call
 * of something imported from a module that talks to a network, a client of the SDK, a call on Baileys' socket, a promise
 * that an event settles. Bounded is what stands in the arguments of `withDeadline`, or is given `AbortSignal.timeout`.
 */
export type Rule = 'sdk client' | 'network' | 'baileys' | 'event';

export interface OutsideCall {
  /** `file: rule name`, by which a call that is bounded in another way is excused. */
  readonly key: string;
  readonly line: number;
}

/** Modules whose functions wait for somebody else. */
const NETWORK: ReadonlySet<string> = new Set([
  'undici',
  'ws',
  'node:http',
  'node:https',
  'node:http2',
  'node:net',
  'node:tls',
  'node:dgram',
  'node:dns',
  'node:dns/promises',
  'node:child_process',
]);
/** The exports of those modules that wait for nobody. */
const WAITLESS: ReadonlySet<string> = new Set(['Agent', 'DecoratorHandler', 'isIP', 'createServer']);
/** What waits without an import. */
const GLOBALS = ['fetch', 'WebSocket', 'EventSource'] as const;
const SDK = /^@(?:aws-sdk|smithy)\//;
const SDK_PARTS = /(?:Client|Handler)$/;
/** Baileys' socket, by the names that it has in its room. */
const ON_BAILEYS = /\b(?:socket|sock)\s*\??\.\s*((?:\w+\s*\??\.\s*)*\w+)\s*(?:<[^()]*>)?\(/g;
const BAILEYS_ROOM = 'worker/socket/';
/** Listeners, which wait for nobody: `ws` and `ev` are emitters. */
const LISTENING = /^(?:ws|ev)\.(?:on|off|listeners|removeListener|removeAllListeners|emit)$/;

/** All such calls of one source. @param file its path, with slashes, from the root of the repository */
export function findOutsideCalls(file: string, source: string): readonly OutsideCall[] {
  const blanked = blankTexts(source);
  const imported = importedNames(source);
  const bounded = argumentsOf(blanked, 'withDeadline');
  const isBounded = (at: number, callEnd: number): boolean => {
    const own: Span = argumentsAt(blanked, callEnd);
    return (
      bounded.some(({ from, to }) => from < at && at < to) ||
      blanked.slice(own.from, own.to).includes('AbortSignal.timeout(')
    );
  };
  const found: OutsideCall[] = [];
  const report = (rule: Rule, name: string, at: number): void => {
    found.push({ key: `${file}: ${rule} ${name}`, line: source.slice(0, at).split('\n').length });
  };
  const reportCalls = (rule: Rule, name: string, pattern: RegExp, canBeBounded = true): void => {
    for (const { index, 0: text } of blanked.matchAll(pattern)) {
      if (canBeBounded && isBounded(index, index + text.length - 1)) continue;
      report(rule, name, index);
    }
  };

  for (const [name, { module, original }] of imported) {
    if (SDK.test(module) && SDK_PARTS.test(original)) {
      reportCalls(
        'sdk client',
        name,
        new RegExp(String.raw`(?:\bnew\s+${name}\s*\(|\bextends\s+${name}\b)`, 'g'),
        false,
      );
    } else if (NETWORK.has(module) && !WAITLESS.has(original)) {
      // A whole module, a function of it, or a function that is handed on to be called elsewhere.
      reportCalls('network', name, new RegExp(String.raw`(?<![.\w])${name}\b(?:\.\w+)?\s*\(`, 'g'));
    }
  }
  for (const name of GLOBALS) {
    reportCalls('network', name, new RegExp(String.raw`(?<![.\w#])(?:globalThis\.)?${name}\s*\(`, 'g'));
  }
  if (file.startsWith(BAILEYS_ROOM)) {
    for (const { index, 0: text, 1: path = '' } of blanked.matchAll(ON_BAILEYS)) {
      const name = path.replaceAll(/[\s?]/g, '');
      if (LISTENING.test(name) || isBounded(index, index + text.length - 1)) continue;
      report('baileys', name, index);
    }
  }
  reportCalls('event', 'new Promise', /\bnew\s+Promise\s*(?:<[^()]*>)?\(/g);
  reportCalls('event', 'withResolvers', /\bPromise\s*\.\s*withResolvers\s*(?:<[^()]*>)?\(/g);
  reportCalls('event', 'once', /(?<!\w)once\s*\(/g);
  return found;
}
