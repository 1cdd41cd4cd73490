"""What does the library do with a bundle whose signed prekey has no signature at all? It keeps none, and reads it all the same."""

import signal
import subprocess
import sys

from pair import Party, confirm, confirm_fact

from adapter.library import INVALID_ARGUMENT


def process(length):
    alice, bob = Party("alice"), Party("bob")
    bundle = bob.bundle()
    number, key, signature = bundle["signed_prekey"]
    alice.process(bob, {**bundle, "signed_prekey": (number, key, signature[:length])})


if len(sys.argv) > 1:
    process(int(sys.argv[1]))
    sys.exit(0)
confirm("a signature of one byte", INVALID_ARGUMENT, process, 1)
confirm("a whole one", "accepted", process, 64)
# In a process of its own, which it ends.
ended = subprocess.run([sys.executable, __file__, "0"], check=False).returncode
confirm_fact("an empty one: how the process ends", -signal.SIGSEGV, ended)
