"""The displayable fingerprint of identifiers with a zero byte in them: about one random UUID in nineteen has one."""

from pair import Party

from adapter.safety_number import ITERATIONS, half

alice, bob = Party("alice"), Party("bob")


def both(local, remote):
    library = alice.client.fingerprint(ITERATIONS, local, alice.identity, remote, bob.identity)
    right = "".join(sorted((half(local, alice.identity), half(remote, bob.identity))))
    return library, right


for what, local, remote in (("no zero byte", bytes(range(1, 17)), bytes(range(17, 33))), ("a zero byte in one", bytes(range(1, 9)) + bytes(8), bytes(range(17, 33))),
                            ("zero first", bytes(16), bytes(range(17, 33)))):
    library, right = both(local, remote)
    print(f"{what:<20} the library's digits are {'right' if library == right else 'WRONG'}")
one, other = (alice.client.fingerprint(ITERATIONS, bytes(range(1, 9)) + b"\0" + bytes([i]) * 7, alice.identity, b"x" * 16, bob.identity) for i in (1, 2))
print(f"two identifiers that differ after a zero byte: {'THE SAME digits' if one == other else 'different digits'}")
