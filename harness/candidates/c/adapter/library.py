"""libsignal-protocol-c through its shim: one client object for each user, and no rule beyond what the library itself does."""

import ctypes
import os
from ctypes import POINTER, Structure, byref, c_char, c_char_p, c_int, c_int32, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p

PUBLIC_BYTES = 33
PRIVATE_BYTES = 32
SIGNATURE_BYTES = 64
NORMAL, PREKEY = 2, 3

# Errors of the library, and of the shim below -10000.
ERRORS = {
    -12: "no memory", -22: "invalid argument", -1000: "unknown", -1001: "duplicate message", -1002: "invalid key",
    -1003: "invalid key id", -1004: "invalid MAC", -1005: "invalid message", -1006: "invalid version", -1007: "legacy message",
    -1008: "no session", -1009: "stale key exchange", -1010: "untrusted identity", -1011: "VRF signature", -1100: "invalid protobuf",
    -1200: "fingerprint version", -1201: "fingerprint identifier", -10001: "OpenSSL refused", -10002: "CBC padding", -10003: "form of a key",
    -10004: "name of a peer", -10005: "no identity",
}
INVALID_ARGUMENT, DUPLICATE, INVALID_KEY, INVALID_KEY_ID, INVALID_MESSAGE = -22, -1001, -1002, -1003, -1005
INVALID_VERSION, LEGACY, NO_SESSION, INVALID_PROTOBUF, CBC_PADDING, KEY_FORM = -1006, -1007, -1008, -1100, -10002, -10003

HERE = os.path.dirname(os.path.abspath(__file__))
SHIM = os.path.join(HERE, os.pardir, "build", "libcountersign_shim.so")


class LibraryError(Exception):
    """What the library refused, by its number; `outcome` is what it had asked of the stores by then."""

    def __init__(self, code, outcome=None):
        log = f" ({outcome.log.decode('utf-8', 'replace')})" if outcome is not None and outcome.log else ""
        super().__init__(f"{code} {ERRORS.get(code, 'unnamed')}{log}")
        self.code, self.outcome = code, outcome


class Bytes(Structure):
    _fields_ = [("data", POINTER(c_uint8)), ("len", c_size_t)]


class Bundle(Structure):
    _fields_ = [
        ("registration_id", c_uint32),
        ("identity", c_char_p), ("identity_len", c_size_t),
        ("signed_prekey_id", c_uint32),
        ("signed_prekey", c_char_p), ("signed_prekey_len", c_size_t),
        ("signature", c_char_p), ("signature_len", c_size_t),
        ("prekey_id", c_uint32),
        ("prekey", c_char_p), ("prekey_len", c_size_t),
    ]


class Outcome(Structure):
    _fields_ = [(name, c_int32) for name in ("missing_prekey", "missing_signed_prekey", "loaded_prekey", "removed_prekey",
                                             "saved_session", "saved_identity")] + [
        ("prekey_id", c_uint32), ("signed_prekey_id", c_uint32), ("identity", c_uint8 * PUBLIC_BYTES), ("log", c_char * 160)]

    @property
    def identity_key(self):
        return bytes(self.identity) if self.saved_identity else None


class Session(Structure):
    _fields_ = [(name, c_int32) for name in ("exists", "can_send", "unanswered", "archived", "has_identity")] + [
        ("identity", c_uint8 * PUBLIC_BYTES)]

    @property
    def identity_key(self):
        """The peer's identity key in the current state, or None."""
        return bytes(self.identity) if self.has_identity else None


OUT = c_char_p  # buffers made by `create_string_buffer` pass as well
FUNCTIONS = {
    "cs_bytes_free": (None, [POINTER(Bytes)]),
    "cs_client_new": (c_void_p, []),
    "cs_client_restart": (c_void_p, [c_void_p]),
    "cs_client_free": (None, [c_void_p]),
    "cs_identity_set": (c_int, [c_void_p, c_uint32, c_char_p, OUT]),
    "cs_prekey_add": (c_int, [c_void_p, c_uint32, c_char_p, OUT]),
    "cs_signed_prekey_add": (c_int, [c_void_p, c_uint32, c_uint64, c_char_p, c_char_p, OUT, OUT]),
    "cs_prekey_remove": (c_int, [c_void_p, c_uint32]),
    "cs_prekey_exists": (c_int, [c_void_p, c_uint32]),
    "cs_bundle_process": (c_int, [c_void_p, c_char_p, POINTER(Bundle)]),
    "cs_encrypt": (c_int, [c_void_p, c_char_p, c_char_p, c_size_t, POINTER(c_int), POINTER(Bytes)]),
    "cs_decrypt": (c_int, [c_void_p, c_char_p, c_int, c_char_p, c_size_t, POINTER(Bytes)]),
    "cs_archive": (c_int, [c_void_p, c_char_p]),
    "cs_outcome": (None, [c_void_p, POINTER(Outcome)]),
    "cs_session_get": (c_int, [c_void_p, c_char_p, POINTER(Session)]),
    "cs_commit": (c_int, [c_void_p]),
    "cs_discard": (None, [c_void_p]),
    "cs_sign": (c_int, [c_void_p, c_char_p, c_size_t, OUT]),
    "cs_verify": (c_int, [c_void_p, c_char_p, c_char_p, c_size_t, c_char_p, c_size_t]),
    "cs_agree": (c_int, [c_void_p, c_char_p, c_size_t, c_char_p, OUT]),
    "cs_fingerprint": (c_int, [c_void_p, c_int, c_char_p, c_char_p, c_char_p, c_char_p, OUT]),
    "cs_aes_cbc": (c_int, [c_int, c_char_p, c_char_p, c_void_p, c_size_t, c_void_p, POINTER(c_size_t)]),
}


def load(path=SHIM):
    try:
        shim = ctypes.CDLL(path)
    except OSError as error:
        setup = os.path.normpath(os.path.join(HERE, os.pardir, "setup"))
        raise SystemExit(f"the library is not built: {error}\nrun the set-up once: {setup}") from None
    for name, (result, arguments) in FUNCTIONS.items():
        function = getattr(shim, name)
        function.restype, function.argtypes = result, arguments
    return shim


shim = load()


def exactly(data, length, what):
    if data is not None and len(data) != length:
        raise ValueError(f"{what} of {len(data)} bytes instead of {length}")
    return data


def scalar(data):
    """A private key as RFC 7748 (section 5) reads it: any 32 bytes are one. The library multiplies by the bytes as they are, and
    clamps only those that it makes itself."""
    if data is None:
        return None
    exactly(data, PRIVATE_BYTES, "private key")
    return bytes([data[0] & 248]) + data[1:31] + bytes([data[31] & 127 | 64])


class Client:
    """The library for one user. A call that changes sessions is undone unless `commit` follows it; one that fails changes nothing.
    Calls must not overlap."""

    def __init__(self, handle=None):
        self.handle = handle or shim.cs_client_new()
        if not self.handle:
            raise MemoryError("no memory for a client of the library")

    def __del__(self):
        if getattr(self, "handle", None):
            shim.cs_client_free(self.handle)
            self.handle = None

    def restarted(self):
        """The same client as after a restart: all that it has stored, read anew."""
        return Client(shim.cs_client_restart(self.handle))

    def checked(self, code):
        if code < 0:
            raise LibraryError(code, self.outcome())
        return code

    # Keys. What is not given is made.

    def identity_set(self, registration_id, private=None):
        public = ctypes.create_string_buffer(PUBLIC_BYTES)
        self.checked(shim.cs_identity_set(self.handle, registration_id, scalar(private), public))
        return public.raw

    def prekey_add(self, number, private=None):
        public = ctypes.create_string_buffer(PUBLIC_BYTES)
        self.checked(shim.cs_prekey_add(self.handle, number, scalar(private), public))
        return public.raw

    def signed_prekey_add(self, number, time_ms, private=None, signature=None):
        public, made = ctypes.create_string_buffer(PUBLIC_BYTES), ctypes.create_string_buffer(SIGNATURE_BYTES)
        self.checked(shim.cs_signed_prekey_add(
            self.handle, number, time_ms, scalar(private),
            exactly(signature, SIGNATURE_BYTES, "signature"), public, made))
        return public.raw, made.raw

    def prekey_remove(self, number):
        return shim.cs_prekey_remove(self.handle, number) == 1

    def prekey_exists(self, number):
        return shim.cs_prekey_exists(self.handle, number) == 1

    # Sessions.

    def bundle_process(self, peer, *, registration_id, identity, signed_prekey, prekey=None):
        """`signed_prekey`: id, key and signature. `prekey`: id and key."""
        bundle = Bundle(registration_id, identity, len(identity), signed_prekey[0], signed_prekey[1], len(signed_prekey[1]),
                        signed_prekey[2], len(signed_prekey[2]))
        if prekey is not None:
            bundle.prekey_id, bundle.prekey, bundle.prekey_len = prekey[0], prekey[1], len(prekey[1])
        self.checked(shim.cs_bundle_process(self.handle, peer.encode(), byref(bundle)))

    def encrypt(self, peer, plaintext):
        """The type, `NORMAL` or `PREKEY`, and the serialised message."""
        kind, message = c_int(), Bytes()
        self.checked(shim.cs_encrypt(self.handle, peer.encode(), plaintext, len(plaintext), byref(kind), byref(message)))
        return kind.value, taken(message)

    def decrypt(self, peer, kind, message):
        plaintext = Bytes()
        self.checked(shim.cs_decrypt(self.handle, peer.encode(), kind, message, len(message), byref(plaintext)))
        return taken(plaintext)

    def archive(self, peer):
        self.checked(shim.cs_archive(self.handle, peer.encode()))

    def outcome(self):
        outcome = Outcome()
        shim.cs_outcome(self.handle, byref(outcome))
        return outcome

    def session(self, peer):
        session = Session()
        self.checked(shim.cs_session_get(self.handle, peer.encode(), byref(session)))
        return session

    def commit(self):
        self.checked(shim.cs_commit(self.handle))

    def discard(self):
        shim.cs_discard(self.handle)

    # Primitives.

    def sign(self, message):
        signature = ctypes.create_string_buffer(SIGNATURE_BYTES)
        self.checked(shim.cs_sign(self.handle, message, len(message), signature))
        return signature.raw

    def verify(self, public, message, signature):
        code = shim.cs_verify(self.handle, exactly(public, PUBLIC_BYTES, "public key"), message, len(message), signature, len(signature))
        return code == 1

    def agree(self, public, private):
        shared = ctypes.create_string_buffer(32)
        self.checked(shim.cs_agree(self.handle, public, len(public), scalar(private), shared))
        return shared.raw

    def fingerprint(self, iterations, local, local_key, remote, remote_key):
        """The library's displayable fingerprint. It takes an identifier for text, which ends at its first zero byte."""
        digits = ctypes.create_string_buffer(61)
        self.checked(shim.cs_fingerprint(self.handle, iterations, local, exactly(local_key, PUBLIC_BYTES, "public key"),
                                         remote, exactly(remote_key, PUBLIC_BYTES, "public key"), digits))
        return digits.value.decode()


def taken(data):
    try:
        return ctypes.string_at(data.data, data.len)
    finally:
        shim.cs_bytes_free(byref(data))


def aes_cbc(encrypt, key, iv, data):
    """AES-256-CBC with PKCS#7. `LibraryError` with `CBC_PADDING` if a ciphertext has a wrong length or padding."""
    exactly(key, 32, "AES key")
    exactly(iv, 16, "IV")
    out = bytearray(len(data) + 16)
    room = (c_char * len(out)).from_buffer(out)
    source = (c_char * len(data)).from_buffer(data) if isinstance(data, bytearray) else ctypes.cast(ctypes.c_char_p(bytes(data)), c_void_p)
    length = c_size_t()
    code = shim.cs_aes_cbc(1 if encrypt else 0, key, iv, source, len(data), room, byref(length))
    if code < 0:
        raise LibraryError(code)
    del room
    del out[length.value:]
    return out
