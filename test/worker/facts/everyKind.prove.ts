import { describe } from 'vitest';
import { itIsOneSafeFactEach } from './everyKindCases.ts';

describe('every kind in every wrapper, whatever a stranger puts into it', () => {
  itIsOneSafeFactEach(20_000);
});
