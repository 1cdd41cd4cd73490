// How long are the keys of messages that did not come kept? Run: node confirm/late-messages.mjs
import { library } from '../alone.mjs';
import { lateMessages } from '../../node/confirm/cases.mjs';

await lateMessages(library, 'v3', { 4: 'accepted', 5: 'accepted', 50: 'accepted' });
