"""The operations of the upper tester: arguments, and what each does; and the statement of claims."""

import time

from . import content, shape
from .gateway import Gateway
from .guards import missing
from .keys import MOST_PREKEYS, imported_keys
from .media import LARGEST_FILE
from .problems import Problem
from .user import User

CONTRACT = "1.0"
VERSION = "0.1.0"
LIBRARY = "libsignal-protocol-c 2.3.3"
SUITE = "signal-classic"
FEATURES = ["text", "image", "video", "voice", "file", "reaction", "reply", "edit", "delete", "typing", "read-receipt",
            "delivery-receipt", "retry", "safety-number", "block"]
MOST_INSTANCES = 256
LONGEST_WAIT_MS = 10_000

# Marks a user that was deleted, among an instance's users.
DELETED = object()

OPERATIONS = {}


def operation(**arguments):
    """Registers a method under its name, with the checks of its arguments."""
    def register(method):
        OPERATIONS[method.__name__] = (shape.members(**arguments), method)
        return method
    return register


class Instance:
    """One instance: its gateway, clock and users, apart from every other."""

    def __init__(self, gateway, clock, trust_anchors):
        self.gateway, self.clock = Gateway(gateway, trust_anchors), clock
        self.users = {}

    def user(self, name):
        user = self.users.get(name)
        if user is None:
            raise Problem("unknown-user", f"no user {name} here")
        if user is DELETED:
            raise Problem("deleted-user", f"user {name} was deleted")
        return user

    async def create_user(self, name, batch, imported):
        """Makes a user, or makes it anew as after a reinstall: the old client ends before the new one is enlisted, and its log."""
        before = self.users.get(name)
        if isinstance(before, User):
            await before.leave()
            before.events.end()
        user = User(name, self, batch, imported)
        await user.enlist()
        self.users[name] = user
        return user

    async def close(self):
        for user in self.users.values():
            if user is not DELETED:
                await user.leave()
                user.events.end()
        self.gateway.close()


class Candidate:
    """`call(name, args)` answers an operation, or raises a `Problem`."""

    def __init__(self):
        self.instances = {}

    async def call(self, name, args):
        if not isinstance(name, str) or name not in OPERATIONS:
            raise Problem("unsupported", "there is no such operation")
        check, method = OPERATIONS[name]
        return await method(self, **check(args, f"arguments of `{name}`")) or {}

    async def end(self):
        for name in list(self.instances):
            await self.close(instance=name)

    def instance(self, name):
        if name not in self.instances:
            raise Problem("unknown-instance", f"no instance {name} is open")
        return self.instances[name]

    def user(self, instance, name):
        return self.instance(instance).user(name)

    @operation()
    async def describe(self):
        return {
            "name": "Countersign sample (C)",
            "version": VERSION,
            "build": LIBRARY + (f" without the guards {', '.join(sorted(missing))}" if missing else ""),
            "operator": "Countersign",
            "contract": CONTRACT,
            "clock": time.time_ns() // 1_000_000,
            "bindings": ["portable"],
            "suites": [SUITE],
            "features": FEATURES,
            "capabilities": ["virtual-clock", "import"],
            "limits": {"text_bytes": content.LONGEST_TEXT, "file_bytes": LARGEST_FILE, "instances": MOST_INSTANCES},
            "assumptions": [
                "A message that arrives under a changed identity key is shown, after the notice; nothing is sent to that key before "
                "the user has accepted it.",
            ],
        }

    @operation(instance=shape.uuid, gateway=shape.text, trust_anchors=shape.Optional(shape.text), clock=shape.u64,
               suite=shape.Optional(shape.text))
    async def open(self, instance, gateway, trust_anchors, clock, suite):
        if suite not in (None, SUITE):
            raise Problem("unsupported", f"the suite `{suite}`")
        if instance in self.instances:
            raise Problem("malformed", f"instance {instance} is open already")
        if len(self.instances) >= MOST_INSTANCES:
            raise Problem("busy", f"{MOST_INSTANCES} instances are open")
        self.instances[instance] = Instance(gateway, clock, trust_anchors)

    @operation(instance=shape.uuid)
    async def close(self, instance):
        closing = self.instance(instance)
        del self.instances[instance]
        await closing.close()

    @operation(instance=shape.uuid, user=shape.uuid, one_time_prekeys=shape.whole(MOST_PREKEYS), **{"import": shape.Optional(imported_keys)})
    async def create_user(self, instance, user, one_time_prekeys, **rest):
        created = await self.instance(instance).create_user(user, one_time_prekeys, rest["import"])
        return {"identity_key": shape.encode(created.keys.identity)}

    @operation(instance=shape.uuid, user=shape.uuid)
    async def delete_user(self, instance, user):
        await self.user(instance, user).delete()
        self.instance(instance).users[user] = DELETED

    @operation(instance=shape.uuid, user=shape.uuid)
    async def connect(self, instance, user):
        await self.user(instance, user).connect()

    @operation(instance=shape.uuid, user=shape.uuid)
    async def disconnect(self, instance, user):
        await self.user(instance, user).disconnect()

    @operation(instance=shape.uuid, user=shape.uuid, to=shape.uuid, stanza=shape.uuid, content=content.user_content)
    async def send(self, instance, user, to, stanza, content):
        await self.user(instance, user).send(to, stanza, content)

    @operation(instance=shape.uuid, user=shape.uuid, after=shape.u64, wait_ms=shape.whole(LONGEST_WAIT_MS))
    async def events(self, instance, user, after, wait_ms):
        return {"events": await self.user(instance, user).events.after(after, wait_ms / 1000)}

    @operation(instance=shape.uuid, user=shape.uuid, through=shape.uuid)
    async def settle(self, instance, user, through):
        await self.user(instance, user).receiving.settle(through)

    @operation(instance=shape.uuid, user=shape.uuid, of=shape.uuid)
    async def fetch_keys(self, instance, user, of):
        return {"identity_key": shape.encode(await self.user(instance, user).fetch_keys(of))}

    @operation(instance=shape.uuid, user=shape.uuid, signed=shape.flag, kyber=shape.flag, one_time_prekeys=shape.whole(MOST_PREKEYS))
    async def rotate_keys(self, instance, user, signed, kyber, one_time_prekeys):
        # The suite has no Kyber prekeys: there is none to make.
        await self.user(instance, user).rotate(signed, one_time_prekeys)

    @operation(instance=shape.uuid, user=shape.uuid, peer=shape.uuid)
    async def verify_identity(self, instance, user, peer):
        return {"digits": self.user(instance, user).sessions.safety_number(peer)}

    @operation(instance=shape.uuid, user=shape.uuid, peer=shape.uuid)
    async def accept_identity(self, instance, user, peer):
        self.user(instance, user).accept_identity(peer)

    @operation(instance=shape.uuid, user=shape.uuid, peer=shape.uuid, blocked=shape.flag)
    async def block(self, instance, user, peer, blocked):
        await self.user(instance, user).block(peer, blocked)

    @operation(instance=shape.uuid, by_ms=shape.u64)
    async def advance_clock(self, instance, by_ms):
        # This client has no timers of its own that run on virtual time.
        self.instance(instance).clock += by_ms
