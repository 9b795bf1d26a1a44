import { describe } from 'vitest';
import { itGivesOneEventEach } from './plaintextCases.ts';

const LOTS = 20;

describe('what a contact may put into a message', () => {
  itGivesOneEventEach(LOTS);
});
