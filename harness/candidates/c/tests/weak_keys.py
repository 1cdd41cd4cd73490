"""Curve25519 public keys that no honest user has: agreement with each of them gives zero, whatever the private key. They are the points
of order 1, 2, 4 and 8 on the curve and its twist, and the spellings of them that are not reduced. The type byte stands in front."""

WEAK_EC_KEYS = [bytes.fromhex("05" + key) for key in (
    "00" * 32,
    "01" + "00" * 31,
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ec" + "ff" * 30 + "7f",
    "ed" + "ff" * 30 + "7f",
    "ee" + "ff" * 30 + "7f",
)]
