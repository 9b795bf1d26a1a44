import { proto } from '@whiskeysockets/baileys';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeSafe } from '../../../../worker/facts/makeSafe.ts';
import type { Mutation } from '../../../../worker/socket/appState/readPatches.ts';
import { toFact } from '../../../../worker/socket/appState/stateKinds.ts';
import { AT, heardAs, writtenChanges } from './writtenChanges.ts';

describe('a change of app state that this connection writes', () => {
  it.each(writtenChanges)('$what: in the form of WhatsApp’s clients, and it is told as what it is', (written) => {
    const { change, collection, entries, facts } = written;

    expect(change.collection).toBe(collection);
    expect(change.entries).toEqual(entries);
    expect(change.entries.map((entry) => toFact(collection, heardAs(entry), AT))).toMatchObject(facts);
  });
});

/** All first words of an index that have a meaning, and some that have none. */
const words = [...new Set(writtenChanges.flatMap(({ entries }) => entries.map(({ index: [word = ''] }) => word)))];
const address = fc.constantFrom('4915100000002@s.whatsapp.net', '222@lid', '1-2@g.us', '', 'nobody', '@lid', '0');
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 400 }), address, fc.constantFrom('1', '0', '__proto__'));
const index = fc.option(
  fc.oneof(fc.array(text, { maxLength: 7 }), fc.tuple(fc.constantFrom(...words), address, text, text, address)),
  { nil: undefined },
);
const number = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.constantFrom(-1, 0, AT, 2 ** 53));
const someText = fc.option(
  text.map((some) => some.toWellFormed()),
  { nil: undefined },
);
const some = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const value = fc
  .record({
    timestamp: some(number),
    starAction: some(fc.record({ starred: some(fc.boolean()) })),
    deleteMessageForMeAction: some(fc.record({ messageTimestamp: some(number) })),
    markChatAsReadAction: some(fc.record({ read: some(fc.boolean()) })),
    archiveChatAction: some(fc.record({ archived: some(fc.boolean()) })),
    pinAction: some(fc.record({ pinned: some(fc.boolean()) })),
    muteAction: some(fc.record({ muted: some(fc.boolean()), muteEndTimestamp: some(number) })),
    clearChatAction: some(fc.record({ messageRange: some(fc.record({ lastMessageTimestamp: some(number) })) })),
    deleteChatAction: some(fc.record({ messageRange: some(fc.record({ lastMessageTimestamp: some(number) })) })),
    contactAction: some(fc.record({ fullName: someText, firstName: someText, lidJid: someText, pnJid: someText })),
    labelEditAction: some(
      fc.record({ name: someText, color: some(fc.integer()), deleted: some(fc.boolean()), type: some(fc.nat(9)) }),
    ),
    labelAssociationAction: some(fc.record({ labeled: some(fc.boolean()) })),
  })
  // It comes from the wire, so that its fields have their types.
  .map((drawn) => proto.SyncActionValue.decode(proto.SyncActionValue.encode(drawn as proto.ISyncActionValue).finish()));

describe('a change of app state, whatever another device has written', () => {
  it('is told as a fact that can leave the worker, or is counted as unknown or malformed', () => {
    const operation = fc.constantFrom('set' as const, 'remove' as const);
    const toldKinds = new Set<string>();

    fc.assert(
      fc.property(index, some(value), operation, fc.constantFrom('regular', 'regular_high'), (...drawn) => {
        const [about, said, done, collection] = drawn;
        const rest = { indexMac: 'mac', valueMac: Buffer.from('mac'), keyId: Buffer.from('key') };
        const mutation: Mutation = { operation: done, index: about, value: said, ...rest };

        const told = toFact(collection, mutation, AT);

        if (typeof told !== 'string') toldKinds.add(told.kind);
        const end = typeof told === 'string' ? told : makeSafe(told, AT).outcome;
        expect(['unknown', 'malformed', 'safe']).toContain(end);
      }),
      { numRuns: 3_000 },
    );

    // Each kind of fact was met, or the sentence would be about nothing.
    expect([...toldKinds].toSorted()).toEqual(
      [...new Set(writtenChanges.flatMap(({ facts }) => facts.map(({ kind }) => kind)))].toSorted(),
    );
  });
});
