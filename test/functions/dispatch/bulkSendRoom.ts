import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { BulkSend } from '../../../shared/bulk/bulkSend.ts';
import { BulkLineStore } from '../../../shared/bulk/bulkLineStore.ts';
import { BulkSendStore } from '../../../shared/bulk/bulkSendStore.ts';
import type { Connection } from '../../../shared/connection/connection.ts';
import { connectionKey } from '../../../shared/platform/keys.ts';
import { tableName } from '../../../shared/platform/tables.ts';
import type { AcceptWorld, ApiProcess } from '../../shared/message/acceptWorld.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export type Line = readonly [to: string, text: string];

/** Lines that go round some chats. */
export const someLines = (count: number, chats = 7): readonly Line[] =>
  Array.from({ length: count }, (_, line) => [`+49151000001${String(line % chats).padStart(2, '0')}`, `line ${line}`]);
export const textsOf = (lines: readonly Line[]): readonly string[] => lines.map(([, text]) => text);

type Asked = Parameters<ApiProcess['acceptBulk']>[0];

/** A world in which bulk sends are accepted and sent by processes that may die, and a connection of its own for each test. */
export class BulkSendRoom {
  readonly world: AcceptWorld;
  readonly rows: BulkSendStore;
  readonly lineRows: BulkLineStore;
  #connection: Connection | undefined;

  constructor(world: AcceptWorld) {
    this.world = world;
    this.rows = new BulkSendStore({ table: world.core.table, stage: 'test' });
    this.lineRows = new BulkLineStore({ table: world.core.table, stage: 'test' });
  }

  /** The connection of the test. */
  get connection(): Connection {
    if (this.#connection === undefined) throw new Error('a connection is there once a test has begun');
    return this.#connection;
  }

  use(connection: Connection): void {
    this.#connection = connection;
  }

  /** Takes a connection of its own, when nothing of earlier ones is noted any more. */
  async begin(): Promise<void> {
    this.world.clock.advance(10 * MINUTE_MS);
    await this.world.dispatch();
    this.#connection = await this.world.core.aConnection();
  }

  /** Ends what a test leaves open, so that no run of dispatch comes to it later. */
  async clear(): Promise<void> {
    for (const bulkSendId of await this.rows.listOpen(this.connection.connectionId)) {
      const bulk = await this.rows.find(this.connection.connectionId, bulkSendId);
      if (bulk !== undefined) await this.world.startApi().changeBulk(bulk, 'cancelled');
    }
    await this.finish();
  }

  async accept(lines: readonly Line[], asked: Partial<Asked> = {}): Promise<BulkSend> {
    const bulk = await this.world.startApi().acceptBulk({ connection: this.connection, lines, ...asked });
    if (bulk === undefined) throw new Error('nothing was accepted');
    return bulk;
  }

  async now({ connectionId, bulkSendId }: BulkSend): Promise<BulkSend> {
    const bulk = await this.rows.find(connectionId, bulkSendId);
    if (bulk === undefined) throw new Error('the bulk send is gone');
    return bulk;
  }

  /** How many lines there are of each state that any has. */
  async countsOf(bulk: BulkSend): Promise<Readonly<Record<string, number>>> {
    const counts = await this.lineRows.count(await this.now(bulk));
    return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
  }

  /** Dispatch and a worker take turns until nothing is open. Returns what was sent. */
  async finish(rounds = 20): Promise<readonly string[]> {
    const sent: string[] = [];
    for (let round = 0; round < rounds; round++) {
      await this.world.dispatch();
      sent.push(...(await this.world.work(this.connection)));
      if ((await this.rows.listOpen(this.connection.connectionId)).length === 0) return sent;
    }
    return sent;
  }

  /** Changes the row of the connection beside everything. */
  async change(fields: Readonly<Record<string, unknown>>, expression: string): Promise<void> {
    await this.world.core.table.send(
      new UpdateCommand({
        TableName: tableName('test', 'core'),
        Key: connectionKey(this.connection.tenantId, this.connection.connectionId),
        UpdateExpression: expression,
        ...(Object.keys(fields).length === 0 ? {} : { ExpressionAttributeValues: fields }),
      }),
    );
  }

  async toldOf(bulk: BulkSend): Promise<readonly string[]> {
    return (await this.world.toldOfBulks()).flatMap((fact) =>
      fact.bulkSendId === bulk.bulkSendId ? [fact.status] : [],
    );
  }
}
