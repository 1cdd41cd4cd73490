#!/usr/bin/env python3
"""libsignal-protocol-c alone, without the harness and without this candidate's guards: lines of JSON on standard input and output,
after `harness/candidates/PARTY.md`. Several parties live in one process, each by its name."""

import json
import secrets
import sys

from adapter import library, shape
from adapter.library import Client, LibraryError
from adapter.problems import Problem

LONGEST_LINE = 4 * 1024 * 1024
MOST_ONE_TIME = 1000
PROFILE = "v3"

TYPES = {"prekey": library.PREKEY, "normal": library.NORMAL}
NAMES = {number: name for name, number in TYPES.items()}

private = shape.octets_of(library.PRIVATE_BYTES)
bundle_of = shape.members(
    registration_id=shape.u32, identity_key=shape.octets,
    signed_prekey=shape.members(id=shape.u32, key=shape.octets, signature=shape.octets),
    one_time_prekey=shape.Optional(shape.members(id=shape.u32, key=shape.octets)), kyber_prekey=shape.Optional(shape.as_it_is))
keys_of = shape.members(
    registration_id=shape.u32, identity_private=private,
    signed_prekey=shape.members(id=shape.u32, private=private, signature=shape.octets_of(library.SIGNATURE_BYTES)),
    kyber_prekey=shape.Optional(shape.as_it_is), one_time_prekeys=shape.list_of(shape.members(id=shape.u32, private=private)),
    one_time_kyber_prekeys=shape.list_of(shape.as_it_is))


class Fault(Exception):
    """The request itself is wrong."""


class Party:
    def __init__(self, keys=None, one_time=0):
        self.client = Client()
        given = keys or {"registration_id": 1 + secrets.randbelow(16380), "identity_private": None, "signed_prekey": {"id": 1, "private": None, "signature": None}}
        self.registration_id = given["registration_id"]
        self.identity = self.client.identity_set(self.registration_id, given["identity_private"])
        signed = given["signed_prekey"]
        key, signature = self.client.signed_prekey_add(signed["id"], 0, signed["private"], signed["signature"])
        self.signed_prekey = {"id": signed["id"], "key": shape.encode(key), "signature": shape.encode(signature)}
        prekeys = [(one["id"], one["private"]) for one in keys["one_time_prekeys"]] if keys else [(i + 1, None) for i in range(one_time)]
        self.prekeys = [{"id": number, "key": shape.encode(self.client.prekey_add(number, secret))} for number, secret in prekeys]
        self.handed_out = 0

    def public(self):
        return {"registration_id": self.registration_id, "identity_key": shape.encode(self.identity), "signed_prekey": self.signed_prekey,
                "one_time_prekeys": self.prekeys, "one_time_kyber_prekeys": []}

    def bundle(self, one_time):
        made = {"registration_id": self.registration_id, "identity_key": shape.encode(self.identity), "signed_prekey": self.signed_prekey}
        if one_time:
            if self.handed_out == len(self.prekeys):
                raise Fault("the one-time prekeys ran out")
            made["one_time_prekey"] = self.prekeys[self.handed_out]
            self.handed_out += 1
        return made

    def process(self, peer, bundle):
        if bundle["kyber_prekey"] is not None:
            raise Fault("a bundle for v4: this library has v3 alone")
        signed, prekey = bundle["signed_prekey"], bundle["one_time_prekey"]
        self.client.bundle_process(peer, registration_id=bundle["registration_id"], identity=bundle["identity_key"],
                                   signed_prekey=(signed["id"], signed["key"], signed["signature"]),
                                   prekey=prekey and (prekey["id"], prekey["key"]))
        self.client.commit()

    def encrypt(self, peer, plaintext):
        kind, body = self.client.encrypt(peer, plaintext)
        self.client.commit()
        return {"type": NAMES[kind], "body": shape.encode(body)}

    def decrypt(self, peer, kind, body):
        plaintext = self.client.decrypt(peer, TYPES[kind], body)
        used = self.client.outcome()
        self.client.commit()
        # The library removes what was used itself, but for the id 0xffffff.
        if used.loaded_prekey:
            self.client.prekey_remove(used.prekey_id)
        return {"plaintext": shape.encode(plaintext)}

    def archive(self, peer):
        self.client.archive(peer)
        self.client.commit()

    def restart(self):
        self.client = self.client.restarted()


def profile(value, at):
    return value if value == PROFILE else shape.refuse(at, f"this library has the profile {PROFILE} alone")


PARTY, PEER = {"party": shape.uuid}, {"party": shape.uuid, "peer": shape.uuid}
OPERATIONS = {
    "about": {},
    "new": {**PARTY, "profile": profile, "one_time": shape.whole(MOST_ONE_TIME)},
    "import": {**PARTY, "profile": profile, "keys": keys_of},
    "bundle": {**PARTY, "one_time": shape.flag},
    "process": {**PEER, "bundle": bundle_of},
    "encrypt": {**PEER, "plaintext": shape.octets},
    "decrypt": {**PEER, "type": shape.one_of(*TYPES), "body": shape.octets},
    "archive": PEER,
    "restart": PARTY,
}
CHECKS = {op: shape.members(id=shape.as_it_is, op=shape.text, **members) for op, members in OPERATIONS.items()}


class Parties:
    def __init__(self):
        self.parties = {}

    def do(self, request):
        op = request.get("op") if isinstance(request, dict) else None
        if not isinstance(op, str) or op not in CHECKS:
            raise Fault("no such operation")
        args = CHECKS[op](request, op)
        del args["id"], args["op"]
        if op == "about":
            return {"library": "libsignal-protocol-c", "version": "2.3.3", "profiles": [PROFILE]}
        name = args.pop("party")
        if op in ("new", "import"):
            self.parties[name] = Party(args.get("keys"), args.get("one_time", 0))
            return self.parties[name].public()
        if name not in self.parties:
            raise Fault(f"no party {name}")
        if "type" in args:
            args["kind"] = args.pop("type")
        return getattr(self.parties[name], op)(**args) or {}

    def reply(self, line):
        number = None
        try:
            try:
                request = json.loads(line)
            except (ValueError, RecursionError):
                raise Fault("not JSON") from None
            if isinstance(request, dict) and type(request.get("id")) is int:
                number = request["id"]
            return {"id": number, "ok": self.do(request)}
        except LibraryError as error:
            return {"id": number, "refused": str(error).replace(" ", ": ", 1)}
        except Fault as error:
            return {"id": number, "fault": str(error)}
        except Problem as error:
            return {"id": number, "fault": error.detail}


def main(lines, out):
    parties = Parties()
    while line := lines.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise SystemExit(f"a line of more than {LONGEST_LINE} bytes")
        out.write(json.dumps(parties.reply(line)).encode() + b"\n")
        out.flush()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
