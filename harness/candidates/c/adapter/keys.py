"""A user's own keys, and the checks of keys that come from outside."""

import os
import secrets

from . import shape
from .guards import guards
from .library import PRIVATE_BYTES, PUBLIC_BYTES, SIGNATURE_BYTES
from .problems import Problem

MOST_PREKEYS = 100
LARGEST_REGISTRATION_ID = 16380
EC_TYPE = 0x05

prekey = shape.members(id=shape.u32, key=shape.octets)
signed_key = shape.members(id=shape.u32, key=shape.octets, signature=shape.octets)


def absent(value, at):
    return shape.refuse(at, "a Kyber key in the suite signal-classic")


key_bundle = shape.members(
    user=shape.uuid, registration_id=shape.u32, identity_key=shape.octets, signed_prekey=signed_key,
    one_time_prekey=shape.Optional(prekey), kyber_prekey=shape.Optional(absent))


private = shape.octets_of(PRIVATE_BYTES)
# Keys that `create_user` gives; this suite has none of Kyber.
imported_keys = shape.members(
    registration_id=shape.whole(LARGEST_REGISTRATION_ID, 1), identity_private=private,
    signed_prekey=shape.members(id=shape.u32, private=private, signature=shape.octets_of(SIGNATURE_BYTES)),
    kyber_prekey=shape.Optional(absent),
    one_time_prekeys=shape.list_of(shape.members(id=shape.u32, private=private), MOST_PREKEYS),
    one_time_kyber_prekeys=shape.list_of(absent))

# A private key to see whether agreement with a public key gives anything but zero.
PROBE = os.urandom(PRIVATE_BYTES)


def check_ec_key(client, key, what):
    """Refuses a public key of a wrong type or length, and one of low order (all zero is one of these): agreement with it gives zero,
    whatever the private key. The library takes such keys: see `confirm/`."""
    if len(key) != PUBLIC_BYTES or key[0] != EC_TYPE:
        raise Problem("bad-key", f"{what}: wrong type or length")
    if guards("low-order-keys") and not any(client.agree(key, PROBE)):
        raise Problem("bad-key", f"{what}: of low order")


def read_bundle(client, json, peer):
    """A bundle as the gateway serves it, its keys checked but for the signature, which the library verifies."""
    bundle = key_bundle(json, "bundle")
    if bundle["user"] != peer:
        raise Problem("malformed", "the bundle of another user")
    # The library takes any number.
    if guards("registration-id") and not 1 <= bundle["registration_id"] <= LARGEST_REGISTRATION_ID:
        raise Problem("malformed", f"registration id {bundle['registration_id']}")
    # The library keeps no signature of no bytes, and then reads the one that it has not kept, which ends the process.
    if not bundle["signed_prekey"]["signature"]:
        raise Problem("bad-signature", "the signed prekey has none")
    check_ec_key(client, bundle["identity_key"], "identity key")
    check_ec_key(client, bundle["signed_prekey"]["key"], "signed prekey")
    if bundle["one_time_prekey"] is not None:
        check_ec_key(client, bundle["one_time_prekey"]["key"], "one-time prekey")
    return bundle


class OwnKeys:
    """The user's own keys. What is made goes into the library's stores, and comes back in the form in which it is published."""

    def __init__(self, client, batch, clock, imported=None):
        self.client, self.batch, self.clock = client, batch, clock
        # Ids start anywhere, so that a message for somebody else seldom names a key that we have.
        self.next_ids = {"ec": 1 + secrets.randbelow(0x800000), "signed": 1 + secrets.randbelow(0x800000)}
        given = imported or {"registration_id": 1 + secrets.randbelow(LARGEST_REGISTRATION_ID), "identity_private": None}
        self.registration_id = given["registration_id"]
        self.identity = client.identity_set(self.registration_id, given["identity_private"])
        self.first = self.take(imported) if imported else {"signed_prekey": self.signed_prekey(), **self.one_time(batch)}

    def take(self, imported):
        """The published form of keys that were given. No others are made beside them."""
        given = imported["signed_prekey"]
        key, signature = self.client.signed_prekey_add(given["id"], self.clock(), given["private"], given["signature"])
        one_time = [(one["id"], self.client.prekey_add(one["id"], one["private"])) for one in imported["one_time_prekeys"]]
        self.next_ids = {"ec": 1 + max([number for number, _ in one_time], default=0), "signed": given["id"] + 1}
        return {"signed_prekey": signed(given["id"], key, signature), **published(one_time)}

    def next_id(self, kind):
        number = self.next_ids[kind]
        self.next_ids[kind] = number % 0xFFFFFFFF + 1
        return number

    def signed_prekey(self):
        number = self.next_id("signed")
        return signed(number, *self.client.signed_prekey_add(number, self.clock()))

    def one_time(self, count):
        """A batch of one-time prekeys."""
        numbers = [self.next_id("ec") for _ in range(count)]
        return published([(number, self.client.prekey_add(number)) for number in numbers])

    def enlistment(self, user):
        """The body of an enlistment."""
        return {"user": user, "registration_id": self.registration_id, "identity_key": shape.encode(self.identity), **self.first}


def signed(number, key, signature):
    return {"id": number, "key": shape.encode(key), "signature": shape.encode(signature)}


def published(prekeys):
    """Members of an enlistment. The suite has no Kyber prekeys."""
    return {"one_time_prekeys": [{"id": number, "key": shape.encode(key)} for number, key in prekeys], "one_time_kyber_prekeys": []}
