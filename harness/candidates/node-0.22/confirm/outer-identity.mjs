// In a session that exists: does the library notice that the identity key on the outside of a further prekey message was changed, and
// which identity key does it store? Run: node confirm/outer-identity.mjs
import { library } from '../alone.mjs';
import { outerIdentity } from '../../node/confirm/cases.mjs';

await outerIdentity(library, 'v3', { message: 'accepted', saved: 'another one' });
