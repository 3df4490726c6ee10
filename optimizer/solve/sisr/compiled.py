"""What turns the inner loops into machine code.

Compiling takes most of a minute, so it happens once and never while somebody waits for a plan:
`optimizer.solve.sisr.warm` does it ahead, `optimizer.solve.sisr.cache` says where it is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from optimizer.solve.sisr.cache import available, code_folder

if TYPE_CHECKING:
    from collections.abc import Callable

if available:
    import numba

    numba.config.CACHE_DIR = str(code_folder())  # type: ignore[attr-defined]

# No array is made in compiled code, so none has to be counted: an eighth of the time.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}


def compiled[F: Callable[..., object]](function: F) -> F:
    """Compile a function when it is first called; without numba it stays as it is."""
    if not available:
        return function
    return cast("F", numba.njit(cache=True, **_OPTIONS)(function))


def called[F: Callable[..., object]](function: F) -> F:
    """Compile a function that only compiled code calls; quicker to compile."""
    if not available:
        return function
    only: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("F", numba.njit(**only, **_OPTIONS)(function))


def inlined[F: Callable[..., object]](function: F) -> F:
    """Compile a small function as a part of the compiled code that calls it."""
    if not available:
        return function
    only: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("F", numba.njit(forceinline=True, **only, **_OPTIONS)(function))
