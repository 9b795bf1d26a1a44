import { describe, expect, it } from 'vitest';
import { countReceived, faultsOf, percentile } from './messagesCounts.ts';
import { isService, nameOfCommand } from './messagesProcesses.ts';

const account = { number: '1', customer: '2', id: 'con_1' };
const event = (id: string, text: string, atMs: number) => ({
  id,
  type: 'message.received',
  connectionId: 'con_1',
  messageId: '',
  status: '',
  text,
  atMs,
});

describe('counting messages', () => {
  it.each<readonly [what: string, came: readonly string[], faults: readonly [number, number, number]]>([
    ['nothing when all came in order', ['a', 'b', 'c'], [0, 0, 0]],
    ['what did not come as lost', ['a', 'c'], [1, 0, 0]],
    ['what came again as doubled, and not as out of order', ['a', 'b', 'a', 'c'], [0, 1, 0]],
    ['what came after a later one as out of order', ['b', 'a', 'c'], [0, 0, 1]],
    ['nothing of what belongs to others', ['x', 'a', 'b', 'y', 'c'], [0, 0, 0]],
  ])('counts %s', (_what, came, [lost, doubled, outOfOrder]) => {
    const faults = faultsOf(new Map([['chat', ['a', 'b', 'c']]]), new Map([['chat', came]]));

    expect(faults).toEqual({ lost, doubled, outOfOrder });
  });

  it('counts a chat of which nothing came as lost', () => {
    const faults = faultsOf(new Map([['chat', ['a', 'b']]]), new Map());

    expect(faults.lost).toBe(2);
  });

  it('judges the order by the ids of events, however webhooks came, and times by when they came', () => {
    const written = ['a', 'b'].map((text, at) => ({ account, text, atMs: at * 10 }));

    const { faults, latenciesMs } = countReceived(written, [event('evt_2', 'b', 14), event('evt_1', 'a', 15)]);

    expect(faults).toEqual({ lost: 0, doubled: 0, outOfOrder: 0 });
    expect(latenciesMs).toEqual([4, 15]);
  });

  it('finds percentiles without minding the order of values', () => {
    const values = Array.from({ length: 100 }, (_, at) => 100 - at);

    expect([percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)]).toEqual([51, 100, 100]);
    expect(percentile([], 0.5)).toBeNaN();
  });
});

describe('processes', () => {
  it.each<readonly [command: readonly string[], name: string, isOurs: boolean]>([
    [['node', '--import', '/r/dieWithParent.ts', 'worker/main.ts'], 'worker', true],
    [['node', '--import', '/r/dieWithParent.ts', 'infra/local/functionsHost.ts', '--port', '0'], 'functionsHost', true],
    [['node', '/r/test/bench/messagesStack.ts'], 'supervisor', true],
    [['node', 'infra/local/emulatorsHost.ts', '--data', '/tmp/x'], 'emulatorsHost', false],
    [['node', 'test/whatsapp/main.ts', '--state-dir', '/tmp/x'], 'whatsapp', false],
    [['/r/node_modules/@dynoxide/linux-x64/dynoxide', 'serve'], 'dynoxide', false],
  ])('are named by what they run: %j', (command, name, isOurs) => {
    const found = nameOfCommand(command);

    expect([found, isService(found)]).toEqual([name, isOurs]);
  });
});
