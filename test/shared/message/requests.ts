/** Requests to send, one of each kind and of each way to send it, without `to`. */
export const requests: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'a text': { type: 'text', text: { body: '*bold* _and_ ~gone~ ```code```' } },
  'a text with its preview': {
    type: 'text',
    text: {
      body: 'read https://example.com/news now',
      preview: { url: 'https://example.com/news', title: 'News', description: 'of today', thumbnail: '/9j/4AAQ' },
    },
  },
  'a place': { type: 'location', location: { latitude: 0, longitude: -180, name: 'Null', address: 'Sea' } },
  'a contact without a number': {
    type: 'contacts',
    contacts: [{ name: { formatted_name: 'Ada; the "first", \\ one\n2' } }],
  },
  'two contacts': {
    type: 'contacts',
    contacts: [
      {
        name: {
          formatted_name: 'Dr. Ada B. Lovelace Jr.',
          first_name: 'Ada',
          last_name: 'Lovelace',
          middle_name: 'B.',
          prefix: 'Dr.',
          suffix: 'Jr.',
        },
        phones: [
          { phone: '+49 151 23456789', type: 'CELL', wa_id: '4915123456789' },
          { phone: '+49 30 1234567', type: 'WORK', wa_id: '49301234567' },
        ],
        emails: [{ email: 'ada@example.com', type: 'WORK' }],
        urls: [{ url: 'https://example.com/ada', type: 'HOME' }],
        addresses: [
          {
            street: 'Way 1; back, door',
            city: 'Berlin',
            state: 'BE',
            zip: '10117',
            country: 'Germany',
            country_code: 'DE',
            type: 'HOME',
          },
        ],
        org: { company: 'Engines', department: 'Numbers', title: 'Analyst' },
        birthday: '1990-12-10',
      },
      { name: { formatted_name: 'Bob' } },
    ],
  },
  'a poll of one answer': {
    type: 'poll',
    poll: { name: 'Lunch?', options: ['Noodles', 'Rice'], selectable_count: 1 },
  },
  'a poll of any answers': {
    type: 'poll',
    poll: { name: 'Which days?', options: ['Mo', 'Tu', 'We'], selectable_count: 0 },
  },
  'a poll of two answers': {
    type: 'poll',
    poll: { name: 'Which two?', options: ['a', 'b', 'c'], selectable_count: 2 },
  },
  'a quiz': {
    type: 'poll',
    poll: { name: 'Capital?', options: ['Bonn', 'Berlin'], selectable_count: 1, correct_option: 'Berlin' },
  },
  'a poll with an end, hidden names and room for more': {
    type: 'poll',
    poll: {
      name: 'Until when?',
      options: ['soon', 'late'],
      selectable_count: 1,
      ends_at: '2030-01-02T03:04:05.000Z',
      hide_names: true,
      allow_new_options: true,
    },
  },
  'an event': {
    type: 'event',
    event: {
      name: 'Party',
      description: 'Bring a hat.',
      location: { name: 'Roof', address: 'Way 1', latitude: 52.5, longitude: 13.25 },
      starts_at: '2030-01-02T18:00:00.000Z',
      ends_at: '2030-01-02T22:00:00.000Z',
      call_link: 'https://call.whatsapp.com/voice/Ab12_-x',
      extra_guests: true,
    },
  },
  'an event of a name and a time': { type: 'event', event: { name: 'Call', starts_at: '2030-01-02T18:00:00.000Z' } },
  'an invitation': {
    type: 'group_invite',
    group_invite: {
      group_id: '120363041234567890@g.us',
      code: 'ABcd12EFgh34',
      group_name: 'Staff',
      caption: 'Come in.',
      expires_at: '2030-01-02T03:04:05.000Z',
      community: true,
    },
  },
  'a request for a number': { type: 'phone_request', phone_request: {} },
  'a number that is shown': { type: 'phone_shared', phone_shared: {} },
};

const header = { type: 'text', text: 'Delivery' };
const footer = { text: 'Thank you' };
const buttons = ['Yes', 'No'].map((title) => ({ type: 'reply', reply: { id: title.toLowerCase(), title } }));
const sections = [
  {
    title: 'Today',
    rows: [
      { id: 't1', title: 'Noon', description: '12:00 to 13:00' },
      { id: 't2', title: 'Evening' },
    ],
  },
  { title: 'Tomorrow', rows: [{ id: 't3', title: 'Morning' }] },
];
export const interactives = {
  button: { type: 'button', header, body: { text: 'Shall we come?' }, footer, action: { buttons } },
  list: { type: 'list', header, body: { text: 'When?' }, footer, action: { button: 'Choose', sections } },
  link: {
    type: 'cta_url',
    body: { text: 'Where is it?' },
    action: { name: 'cta_url', parameters: { display_text: 'Track it', url: 'https://example.com/t/1' } },
  },
  place: {
    type: 'location_request_message',
    body: { text: 'Where are you?' },
    action: { name: 'send_location' },
  },
} as const;
