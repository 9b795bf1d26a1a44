import type { MediaDependencies } from '../../../functions/media/handler.ts';
import { ChatStore } from '../../../shared/chat/chatStore.ts';
import { ContactStore } from '../../../shared/contact/contactStore.ts';
import { LiveCopies } from '../../../shared/history/liveCopies.ts';
import { NoticeStore } from '../../../shared/history/noticeStore.ts';
import { PastMessages } from '../../../shared/message/pastMessages.ts';

type Store = ConstructorParameters<typeof ChatStore>[0];

/** The parts with which the media function takes histories in, on the tables of a test. */
export function historyParts(stores: Store): MediaDependencies['histories'] {
  const { table, stage } = stores;
  return {
    table,
    notices: new NoticeStore({ table, stage }),
    past: new PastMessages({ table, stage }),
    live: new LiveCopies({ table, stage }),
    chats: new ChatStore({ table, stage }),
    contacts: new ContactStore({ table, stage }),
  };
}
