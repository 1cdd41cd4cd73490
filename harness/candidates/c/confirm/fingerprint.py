"""The displayable fingerprint of identifiers with a zero byte in them: about one random UUID in nineteen has one."""

from pair import Party, confirm_fact

from adapter.safety_number import ITERATIONS, half

alice, bob = Party("alice"), Party("bob")
PEER = bytes(range(17, 33))


def library(identifier):
    return alice.client.fingerprint(ITERATIONS, identifier, alice.identity, PEER, bob.identity)


for what, identifier, expected in (("no zero byte", bytes(range(1, 17)), True), ("zeros in it", bytes(range(1, 9)) + bytes(8), False),
                                   ("zero first", bytes(16), False)):
    right = "".join(sorted((half(identifier, alice.identity), half(PEER, bob.identity))))
    confirm_fact(f"{what}: the library's digits are right", expected, library(identifier) == right)
one, other = (library(bytes(range(1, 9)) + b"\0" + bytes([i]) * 7) for i in (1, 2))
confirm_fact("two identifiers that differ after a zero byte have the same digits", True, one == other)
