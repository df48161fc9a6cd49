"""Run a program that refuses to run as root: it sees another user, its files stay root's, no system user is
made.

`python -I -S core/userns.py UID GID PROGRAM ARGUMENT…` enters a new user namespace in which root outside is
UID inside, then becomes the program. Exit code 125 when the kernel or a container refuses user namespaces.
See user_namespaces(7).

It is a program of its own because a namespace has to be entered before the program starts, and running code
between fork and exec is not safe in a process with threads.
"""

import ctypes
import os
import sys

CLONE_NEWUSER = 0x10000000
REFUSED = 125


def enter(uid: int, gid: int) -> None:
    """Enter a user namespace where we are `uid` and `gid`; OSError where that is refused."""
    libc = ctypes.CDLL(None, use_errno=True)
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {outer_uid} 1"),
        ("gid_map", f"{gid} {outer_gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as out:
            out.write(content)


if __name__ == "__main__":
    try:
        enter(int(sys.argv[1]), int(sys.argv[2]))
    except OSError as error:
        sys.stderr.write(f"user namespace refused: {error}\n")
        raise SystemExit(REFUSED) from None
    os.execv(sys.argv[3], sys.argv[3:])  # noqa: S606 - becoming the program is the purpose
