import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StanzaJson } from '../whatsapp/rawRoutes.ts';
import { HostileStage, MALLORY, SHOP } from './hostileStage.ts';
import { OFFERS, stanzaKinds, variantsOf } from './stanzas.ts';

/** After so many the neighbour writes. */
const AT_ONCE = 50;

describe('whatever stanza a contact sends', () => {
  let stage: HostileStage;
  let group = '';
  beforeAll(async () => {
    stage = await HostileStage.start();
    group = (await stage.phones.addGroup(MALLORY, 'Both 😀', [SHOP])).id;
  });
  afterAll(() => stage.stop());

  it.each(Object.entries(stanzaKinds))(
    '%s with any attribute missing, huge, of another type or not ASCII change nothing',
    async (_what, kinds) => {
      const variants = kinds.flatMap(variantsOf);
      for (const [index, variant] of variants.entries()) {
        const stanza = withOwnId(variant, index);
        await stage.phones.stanza(MALLORY, { to: index % 2 === 0 ? SHOP : group, stanza });
        if (index % AT_ONCE === AT_ONCE - 1) await stage.assertNeighbourHeard();
      }

      await stage.assertNeighbourHeard();
      await stage.assertHeld();
      expect(variants.length).toBeGreaterThan(kinds.length);
    },
  );

  it('each offer of a call is told once, and by the address that the server wrote', async () => {
    const offers = stanzaKinds['calls']?.filter(({ content }) => tagOf(content) !== undefined) ?? [];
    const told = (await stage.log()).filter(({ type }) => type === 'call.received').length;
    for (const [index, offer] of offers.entries()) {
      const content = Array.isArray(offer.content)
        ? offer.content.map((child) => ({ ...child, attrs: { ...child.attrs, 'call-id': `OFFER-${index} 😀` } }))
        : offer.content;
      await stage.phones.stanza(MALLORY, { to: SHOP, stanza: { ...offer, content } });
    }

    const calls = (await stage.events('the calls', ({ type }) => type === 'call.received', told + offers.length)).slice(
      told,
    );
    expect(calls.map(({ data }) => data['callId'])).toEqual(offers.map((_offer, index) => `OFFER-${index} 😀`));
    for (const { data } of calls) {
      expect((data['caller'] as { readonly phoneNumber?: string }).phoneNumber).toBe(`+${MALLORY}`);
    }
  });
});

/** An id that is there is one of its own: messages under one id are one message. */
function withOwnId(stanza: StanzaJson, index: number): StanzaJson {
  const { id } = stanza.attrs ?? {};
  return id === undefined ? stanza : { ...stanza, attrs: { ...stanza.attrs, id: `${id}${index}` } };
}

function tagOf(content: unknown): string | undefined {
  const [first] = Array.isArray(content) ? (content as readonly { readonly tag: string }[]) : [];
  return first !== undefined && OFFERS.includes(first.tag) ? first.tag : undefined;
}
