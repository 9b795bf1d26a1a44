import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeId } from '../../shared/kernel/id.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { makeLogger } from '../../shared/platform/logger.ts';
import { findSecrets } from './findSecrets.ts';
import { makeWatchedLogger } from './watchedLogger.ts';

describe('the search for secrets in a log', () => {
  it.each<readonly [what: string, text: string, kind: string]>([
    ['a phone number', 'no account for 4915112345678', 'phone number'],
    ['an address', 'closed by 4915112345678:5@s.whatsapp.net', 'phone number'],
    ['an address of Signal', 'Session error at 4915112345678.0', 'phone number'],
    ['a LID', 'from 123456789012345@lid', 'phone number'],
    ['a key in base64', `key ${Buffer.alloc(32, 'Zk9').toString('base64')}x1`, 'key'],
    ['a key with its first digit late', 'bKYOScfUedDcDCpXBimfesgAhV+pELzZUxO/OpoFfJM=', 'key'],
    ['a key in hexadecimal', `key ${randomBytes(32).toString('hex')}`, 'key'],
    ['a printed session', 'SessionEntry { currentRatchet: { ephemeralKeyPair } }', 'name of a key'],
    ['what somebody wrote', 'sending "see you at nine"', 'known'],
  ])('finds %s', (_what, text, kind) => {
    expect(
      findSecrets(`fine\n${text}\nfine`, ['see you at nine']).map((found) => [found.kind, found.line]),
    ).toContainEqual([kind, 2]);
  });

  it.each(['task 14db516a-e497-41fd-95df-386471898610 drains', '"Timestamp":1785585600000,'])(
    'lets %s pass',
    (text) => {
      expect(findSecrets(text)).toEqual([]);
    },
  );

  it('finds every random key of 32 bytes', () => {
    const keys = Array.from({ length: 20_000 }, () => randomBytes(32).toString('base64'));

    expect(keys.filter((key) => findSecrets(key).length === 0)).toEqual([]);
  });

  it('stands behind a log, and tells what kind of secret a line held but not which', () => {
    const told: string[] = [];
    const logger = makeWatchedLogger(({ message }) => void told.push(message)).child({ connectionId: 'con_1' });
    logger.debug('fine', { waitMs: 5 });
    logger.warn('socket cut', { reason: 'no account for 4915112345678' });

    expect(told).toEqual(['a line of the log holds a phone number']);
  });

  it('finds nothing in metrics', () => {
    expect(findSecrets('{"_aws":{"Timestamp":1795248060489},"WorkersDead":1}')).toEqual([]);
  });

  it('finds nothing in what the logger says of ids, times, errors and their stacks', () => {
    const lines: string[] = [];
    const logger = makeLogger('worker', 'debug', { write: (line) => void lines.push(line) });
    for (let count = 0; count < 200; count += 1) {
      const connectionId = makeId('con', Date.now(), systemRandom);
      logger.warn('socket cut', { connectionId, error: new TypeError('no answer'), waitMs: 12_345.678_912, epoch: 17 });
    }

    expect(findSecrets(lines.join(''))).toEqual([]);
  });
});
