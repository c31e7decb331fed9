"""The keys of CURVE, from the files that `broker keygen` or zmq.auth has made."""

from __future__ import annotations

import os
from typing import NamedTuple, Union

import zmq
import zmq.auth

Path = Union[str, "os.PathLike[str]"]


class Keys(NamedTuple):
    """What a client needs to be let in."""

    public: bytes
    secret: bytes
    server: bytes


def load_keys(key: Path | None, server_key: Path | None) -> Keys | None:
    """Reads a client's own key and the broker's public one; None where neither is given."""
    if key is None and server_key is None:
        return None
    if key is None or server_key is None:
        raise ValueError(
            "key and server_key belong together: the client's own file NAME.key_secret, "
            "and the broker's server.key"
        )
    if not zmq.has("curve"):
        raise RuntimeError("this pyzmq was built without CURVE: install its wheel with pip")
    public, secret = zmq.auth.load_certificate(key)
    if secret is None:
        raise ValueError(
            f"{os.fspath(key)} holds no secret key: give the client's own file NAME.key_secret"
        )
    server, _ = zmq.auth.load_certificate(server_key)
    return Keys(public, secret, server)
