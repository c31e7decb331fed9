"""As much of pyzmq's interface as client.py uses, over the libzmq that LIBZMQ names.

Old versions of libzmq are in wheels for Pythons that nobody has any more; the library
itself needs no Python.
"""

import ctypes
import os

library = ctypes.CDLL(os.environ["LIBZMQ"], use_errno=True)
for name in ("zmq_ctx_new", "zmq_socket"):
    getattr(library, name).restype = ctypes.c_void_p

PUB, SUB, REQ, DEALER, PUSH, XPUB = 1, 2, 3, 5, 8, 9
SUBSCRIBE, RCVMORE, LINGER, RCVTIMEO = 6, 13, 17, 27
SNDMORE = 2
BYTES = {"curve_publickey": 48, "curve_secretkey": 49, "curve_serverkey": 50}
INTEGERS = {"linger": LINGER, "rcvtimeo": RCVTIMEO}


class Again(Exception):
    """Nothing has come in time."""


def check(result):
    if result < 0:
        number = ctypes.get_errno()
        raise Again if number == 11 else OSError(number, os.strerror(number))
    return result


def zmq_version():
    parts = [ctypes.c_int() for _ in range(3)]
    library.zmq_version(*map(ctypes.byref, parts))
    return ".".join(str(part.value) for part in parts)


class Context:
    def __init__(self):
        self.pointer = ctypes.c_void_p(library.zmq_ctx_new())

    def socket(self, kind):
        return Socket(ctypes.c_void_p(library.zmq_socket(self.pointer, kind)))

    def term(self):
        check(library.zmq_ctx_term(self.pointer))


class Socket:
    def __init__(self, pointer):
        object.__setattr__(self, "pointer", pointer)

    def set_bytes(self, option, value):
        size = ctypes.c_size_t(len(value))
        check(library.zmq_setsockopt(self.pointer, option, value, size))

    def __setattr__(self, name, value):
        if name in BYTES:
            return self.set_bytes(BYTES[name], value)
        number = ctypes.c_int(value)
        size = ctypes.c_size_t(ctypes.sizeof(number))
        check(library.zmq_setsockopt(self.pointer, INTEGERS[name], ctypes.byref(number), size))

    def subscribe(self, topic):
        self.set_bytes(SUBSCRIBE, topic)

    def connect(self, endpoint):
        check(library.zmq_connect(self.pointer, endpoint.encode()))

    def send(self, frame, flags=0):
        check(library.zmq_send(self.pointer, frame, ctypes.c_size_t(len(frame)), flags))

    def send_multipart(self, frames):
        for frame in frames[:-1]:
            self.send(frame, SNDMORE)
        self.send(frames[-1])

    def recv(self):
        buffer = ctypes.create_string_buffer(1 << 20)
        count = library.zmq_recv(self.pointer, buffer, ctypes.c_size_t(len(buffer)), 0)
        return buffer.raw[: check(count)]

    def recv_multipart(self):
        frames = [self.recv()]
        more, size = ctypes.c_int(), ctypes.c_size_t(ctypes.sizeof(ctypes.c_int()))
        while True:
            pointers = ctypes.byref(more), ctypes.byref(size)
            check(library.zmq_getsockopt(self.pointer, RCVMORE, *pointers))
            if not more.value:
                return frames
            frames.append(self.recv())

    def close(self):
        check(library.zmq_close(self.pointer))
