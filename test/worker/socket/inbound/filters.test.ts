import { describe, expect, it } from 'vitest';
import { chatKindOf } from '../../../../shared/connection/chatKind.ts';
import { withDefaults, type ConnectionSettings, type FilterName } from '../../../../shared/connection/settings.ts';
import type { Fact } from '../../../../shared/event/facts/factRows.ts';
import type { Logger } from '../../../../shared/platform/logger.ts';
import { FilterCounts, filterOf } from '../../../../worker/socket/inbound/filters.ts';
import { keepingMetrics } from '../../../shared/platform/keepingMetrics.ts';
import { silentLogger } from '../../../whatsapp/silentLogger.ts';

const aMessage = (chat: string, content: object = { type: 'text', text: { body: 'a' } }): Fact =>
  ({ kind: 'message', key: 'k', atMs: 1, stanzaId: 's', chat, sender: '1@lid', fromMe: false, content }) as Fact;
const filtersOf = (filters: ConnectionSettings['filters']) => withDefaults({ filters }).filters;

describe('the filter of a message', () => {
  it.each([
    ['1@s.whatsapp.net', 'people'],
    ['1@lid', 'people'],
    ['1-2@g.us', 'groups'],
    ['status@broadcast', 'statusUpdates'],
    ['77@broadcast', 'broadcasts'],
    ['1@newsletter', 'newsletters'],
  ] as const)('goes by the chat: %s is of %s', (chat, kind) => {
    expect(chatKindOf(chat)).toBe(kind);
    expect(filterOf(aMessage(chat), filtersOf({ [kind]: 'drop' }))).toBe(kind);
    expect(filterOf(aMessage(chat), filtersOf({}))).toBeUndefined();
  });

  it('goes by the type where the chat is wanted', () => {
    const filters = filtersOf({ groups: 'drop', types: { text: 'drop' } });

    expect(filterOf(aMessage('1@g.us'), filters)).toBe('groups');
    expect(filterOf(aMessage('1@lid'), filters)).toBe('types.text');
    const other = aMessage('1@lid', { type: 'unsupported', unsupported: { kind: 'sticker' } });
    expect(filterOf(other, filters)).toBeUndefined();
  });

  it('drops statuses of others, and not what they say about ours', () => {
    const filters = filtersOf({ statusUpdates: 'drop' });
    const liked = {
      ...aMessage('status@broadcast', { type: 'reaction', reaction: { emoji: '💚' } }),
      originalId: 's1',
    };

    expect(filterOf({ ...liked, originalFromMe: true } as Fact, filters)).toBeUndefined();
    expect(filterOf({ ...liked, originalFromMe: true, fromMe: true } as Fact, filters)).toBe('statusUpdates');
    expect(filterOf({ ...liked, originalFromMe: false } as Fact, filters)).toBe('statusUpdates');
    expect(filterOf({ ...liked, originalFromMe: true } as Fact, filtersOf({ people: 'drop' }))).toBe('people');
  });

  it('lets everything else through, also from chats that are not wanted', () => {
    const receipt = { kind: 'receipt', key: 'k', atMs: 1, stanzaId: 's', chat: '1@g.us', recipient: '1@lid' };

    expect(filterOf({ ...receipt, state: 'read' } as Fact, filtersOf({ groups: 'drop', people: 'drop' }))).toBe(
      undefined,
    );
  });
});

describe('the numbers of dropped messages', () => {
  const aCounter = (add: (counts: ReadonlyMap<FilterName, number>) => Promise<unknown>) => {
    const timers: (() => void)[] = [];
    const scope = { timeout: (_ms: number, work: () => void) => (timers.push(work), () => undefined) };
    const metrics = keepingMetrics();
    const logger = silentLogger as unknown as Logger;
    return { counts: new FilterCounts({ scope, metrics, logger, add }), timers, metrics };
  };

  it('are added once for all that was dropped within a minute, and then anew', async () => {
    const added: Record<string, number>[] = [];
    const { counts, timers, metrics } = aCounter(async (each) => void added.push(Object.fromEntries(each)));

    counts.count('groups');
    counts.count('groups');
    counts.count('types.text');
    expect(timers).toHaveLength(1);
    timers[0]?.();
    counts.count('people');
    timers[1]?.();
    counts.end();

    expect(added).toEqual([{ groups: 2, 'types.text': 1 }, { people: 1 }]);
    expect(metrics.totalOf('MessagesFiltered', { kind: 'types' })).toBe(1);
    expect(metrics.totalOf('MessagesFiltered', { kind: 'groups' })).toBe(2);
  });

  it('are kept when the store does not take them, for the next time', async () => {
    const added: Record<string, number>[] = [];
    const { counts, timers } = aCounter(async (each) => {
      added.push(Object.fromEntries(each));
      if (added.length === 1) throw new Error('away');
    });

    counts.count('groups');
    timers[0]?.();
    await Promise.resolve();
    await Promise.resolve();
    counts.count('groups');
    counts.end();

    expect(added).toEqual([{ groups: 1 }, { groups: 2 }]);
  });
});
