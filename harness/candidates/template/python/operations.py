"""The operations of the contract, and the statement of claims. One method `op_…` for each operation."""

import threading
import time
from types import SimpleNamespace

from client import User
from contract import OPERATIONS, VERSION, Problem, check
from gateway import Gateway

# What `describe` claims. Take the mark of comment off a line when it is true, and not before: a claim that turns out to be
# `unsupported` is a failure, and a feature that is not claimed is not tested. The README says which step makes which line true.
SUITES = [
    # "signal-pq",  # step 1
    # "signal-classic",  # in place of it, or beside it
]
FEATURES = [
    # "text",  # step 1
    # "delivery-receipt",  # step 1
    # "retry",  # step 2
    # "safety-number",  # step 3
    # "image", "video", "voice", "file",  # step 4
    # "reaction", "reply", "edit", "delete", "typing", "read-receipt",  # step 5
    # "block",  # step 6
    # "group",  # for the profile dma-groups
    # "sealed-sender",  # for the profile sealed-sender
]
LIMITS = {"text_bytes": 100_000, "file_bytes": 16 * 1024 * 1024, "instances": 64}
MOST_PREKEYS = 100
LONGEST_WAIT_MS = 10_000


class Candidate:
    """Instances, each with its own users, clock and gateway."""

    def __init__(self):
        self.instances = {}
        self.lock = threading.Lock()

    def call(self, name, args):
        """Answers an operation, or raises a `Problem`."""
        if name not in OPERATIONS:
            raise Problem("unsupported", f"there is no operation `{name}`")
        check(args, OPERATIONS[name], "args")
        handler = getattr(self, f"op_{name}", None)
        if handler is None:
            raise Problem("unsupported", f"`{name}` is of the contract, and has no method op_{name} here yet")
        # UUIDs in one spelling.
        lower = {key: value.lower() for key, value in args.items() if key in ("instance", "user", "to", "of", "peer", "stanza", "through")}
        return handler(SimpleNamespace(**{**args, **lower}))

    def instance(self, args):
        with self.lock:
            if args.instance not in self.instances:
                raise Problem("unknown-instance", f"no instance {args.instance} is open")
            return self.instances[args.instance]

    def user(self, args):
        users = self.instance(args).users
        if args.user not in users:
            raise Problem("unknown-user", f"no user {args.user} here")
        if users[args.user] is None:
            raise Problem("deleted-user", f"user {args.user} was deleted")
        return users[args.user]

    def op_describe(self, args):
        return {
            "name": "NAME OF YOUR MESSENGER",
            "version": "0.1.0",
            "build": "skeleton",  # the digest or the name of your build
            "operator": "NAME OF YOUR MESSENGER",  # who runs it
            "contract": VERSION,
            "clock": time.time_ns() // 1_000_000,
            "bindings": ["portable"],
            "suites": SUITES,
            "features": FEATURES,
            "capabilities": ["virtual-clock"],
            "limits": LIMITS,
            "assumptions": [],  # in your own words; they are printed in the report
        }

    def op_open(self, args):
        with self.lock:
            if args.instance in self.instances:
                raise Problem("malformed", f"instance {args.instance} is open already")
            if len(self.instances) >= LIMITS["instances"]:
                raise Problem("busy", f"{LIMITS['instances']} instances are open")
            self.instances[args.instance] = SimpleNamespace(gateway=Gateway(args.gateway), clock=args.clock, users={})
        return {}

    def op_close(self, args):
        instance = self.instance(args)
        with self.lock:
            self.instances.pop(args.instance, None)
        for user in instance.users.values():
            if user is not None:
                user.leave()
        return {}

    def op_create_user(self, args):
        if args.one_time_prekeys > MOST_PREKEYS:
            raise Problem("malformed", f"more than {MOST_PREKEYS} one-time prekeys")
        instance = self.instance(args)
        before = instance.users.get(args.user)
        if before is not None:  # as after a reinstall: new keys, an empty client
            before.leave()
        user = User(args.user, instance, args.one_time_prekeys)
        user.enlist()
        instance.users[args.user] = user
        return {"identity_key": user.identity_key()}

    def op_delete_user(self, args):
        self.user(args).delete()
        self.instance(args).users[args.user] = None
        return {}

    def op_connect(self, args):
        self.user(args).connect()
        return {}

    def op_disconnect(self, args):
        self.user(args).disconnect()
        return {}

    def op_send(self, args):
        user = self.user(args)
        if getattr(args, "sealed", False):
            raise Problem("unsupported", "sealed sender: here your certificates: see the contract, module sealed")
        user.send(args.to, args.stanza, args.content)
        return {}

    def op_events(self, args):
        return {"events": self.user(args).events_after(args.after, min(args.wait_ms, LONGEST_WAIT_MS) / 1000)}

    def op_settle(self, args):
        self.user(args).settle(args.through)
        return {}

    def op_fetch_keys(self, args):
        return {"identity_key": self.user(args).fetch_keys(args.of)}

    def op_rotate_keys(self, args):
        if args.one_time_prekeys > MOST_PREKEYS:
            raise Problem("malformed", f"more than {MOST_PREKEYS} one-time prekeys")
        self.user(args).rotate(args.signed, args.kyber, args.one_time_prekeys)
        return {}

    def op_verify_identity(self, args):
        return {"digits": self.user(args).safety_number(args.peer)}

    def op_accept_identity(self, args):
        self.user(args).accept_identity(args.peer)
        return {}

    def op_block(self, args):
        self.user(args)
        raise Problem("unsupported", "blocking: here your block list: see the contract, module portable")

    def op_create_group(self, args):
        self.user(args)
        raise Problem("unsupported", "groups: here your sender keys: see the contract, module groups")

    def op_change_group(self, args):
        self.user(args)
        raise Problem("unsupported", "groups: here your sender keys: see the contract, module groups")

    def op_send_to_group(self, args):
        self.user(args)
        raise Problem("unsupported", "groups: here your sender keys: see the contract, module groups")

    def op_advance_clock(self, args):
        # This client has no timers of its own. If yours has some: fire what falls due, before the answer.
        self.instance(args).clock += args.by_ms
        return {}
