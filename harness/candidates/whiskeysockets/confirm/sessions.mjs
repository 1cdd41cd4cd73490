// Several sessions with one peer. A session in which reading fails is changed all the same, and stored; and a chain that was replaced
// before anything was sent in it announces -1 messages, as 2^32 - 1, which the library itself then refuses.
// Run: node confirm/sessions.mjs
import { library } from '../alone.mjs';
import { confirm, pairOf } from '../../node/confirm/alone.mjs';

console.warn = () => {};
const say = (text) => process.stdout.write(`${text}\n`);

say('A message of an earlier session, after the current one was set up:');
{
  const [alice, bob] = await pairOf(library, 'v3');
  await alice.process(bob);
  await bob.decrypt(alice, await alice.encrypt(bob, 'first'));
  const late = await bob.encrypt(alice, 'late');
  await alice.process(bob, await bob.bundle());
  await bob.decrypt(alice, await alice.encrypt(bob, 'new session'));
  const now = await bob.encrypt(alice, 'in the new one');
  await confirm('  the late one', 'accepted', () => alice.decrypt(bob, late));
  await confirm('  the next one in the current session', 'Bad MAC', () => alice.decrypt(bob, now));
  await confirm('  and one after it', 'Bad MAC', async () => alice.decrypt(bob, await bob.encrypt(alice, 'again')));
}

say('The same without the late one:');
{
  const [alice, bob] = await pairOf(library, 'v3');
  await alice.process(bob);
  await bob.decrypt(alice, await alice.encrypt(bob, 'first'));
  await alice.process(bob, await bob.bundle());
  await bob.decrypt(alice, await alice.encrypt(bob, 'new session'));
  await confirm('  in the current session', 'accepted', async () => alice.decrypt(bob, await bob.encrypt(alice, 'in the new one')));
}

say('Both start at once:');
{
  const [alice, bob] = await pairOf(library, 'v3');
  await alice.process(bob);
  await bob.process(alice);
  const [one, two] = [await alice.encrypt(bob, 'from alice'), await bob.encrypt(alice, 'from bob')];
  await confirm('  the first of one', 'accepted', () => bob.decrypt(alice, one));
  await confirm('  the first of the other', 'accepted', () => alice.decrypt(bob, two));
  for (let round = 1; round <= 3; round += 1) {
    await confirm(`  then, ${round}: to bob`, 'accepted', async () => bob.decrypt(alice, await alice.encrypt(bob, 'on')));
    await confirm(`  then, ${round}: to alice`, 'Over 2000 messages into the future', async () => alice.decrypt(bob, await bob.encrypt(alice, 'on')));
  }
}
