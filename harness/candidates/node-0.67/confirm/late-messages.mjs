// How long are the keys of messages that did not come kept? Run: node confirm/late-messages.mjs
import { library } from '../alone.mjs';
import { lateMessages } from '../../node/confirm/cases.mjs';

for (const profile of ['v3', 'v4']) await lateMessages(library, profile, { 4: 'accepted', 5: 'decryption failed', 50: 'decryption failed' });
