"""Everything that can go wrong on purpose, as one tree; the wording per API lives in the dialects.

FilmgateError
├── Refused                   the caller's request is not accepted; nothing was bought
│   ├── InvalidRequest        a value is missing, malformed or out of range
│   │   ├── MalformedBody     the body is not the JSON or form it claims to be
│   │   └── UnknownModel      no such model, or not one this API offers
│   ├── Unauthenticated       no key, or not one of ours
│   ├── Forbidden             the key may not do this
│   ├── InsufficientBalance   the account cannot pay for it
│   ├── NotFound              no such task, file or route (or not the caller's)
│   ├── MethodNotAllowed      the route exists, the method does not
│   ├── UnsupportedMedia      this content type is not taken here
│   ├── BodyTooLarge          more bytes than any honest request needs
│   └── RateLimited           too many requests; carries ``retry_after``
├── Unavailable               a part we need is away for now; carries ``retry_after``
├── Inexpressible             a dialect has no words for a field; routing tries elsewhere
├── TaskFailed                a task ends badly; carries a ``Failure`` for the caller
│   └── InputUnfetchable      an image or clip of the caller could not be fetched
├── NotSubmitted              an upstream surely did not take the job; it may be sent again
│   ├── CredentialsRefused    it refused our key: the channel is out until an operator looks
│   ├── RequestRefused        it refused this request; another channel may take it
│   └── SendAgainHere         it may have taken it, but honours idempotency keys: only there
├── SubmitUnknown             an upstream may have taken the job; it must not be sent again
├── StillRunning              an upstream could not be asked just now; ask again later
└── ObjectMissing             the object store has nothing (whole) under a key
"""

from __future__ import annotations

from filmgate.core.task import Failure


class FilmgateError(Exception):
    """Root of all errors that filmgate raises on purpose. ``message`` is safe to show a caller."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refused(FilmgateError):
    """The caller's request is not accepted, and nothing was bought."""


class InvalidRequest(Refused):
    """A value is missing, malformed or out of range.

    ``code`` is a stable snake_case word for programs (``invalid_aspect_ratio``), ``param`` the
    field at fault or ``""``.
    """

    def __init__(self, message: str, *, code: str = "invalid_value", param: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class MalformedBody(InvalidRequest):
    """The body is not the JSON or form that it claims to be."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="malformed_body")


class UnknownModel(InvalidRequest):
    """No such model, or not one that this API offers. ``model`` is the name as asked for."""

    def __init__(self, model: str) -> None:
        # A hostile name is not echoed at length.
        self.model = model[:100]
        super().__init__(f'unsupported model "{self.model}"', code="model_not_found", param="model")


class Unauthenticated(Refused):
    """No key, or not one of ours."""


class Forbidden(Refused):
    """The key is good but may not do this."""


class InsufficientBalance(Refused):
    """The account cannot pay for the request."""


class NotFound(Refused):
    """No such thing, or not the caller's: both look the same. ``what`` names the kind of thing."""

    def __init__(self, what: str, message: str) -> None:
        super().__init__(message)
        self.what = what


class MethodNotAllowed(Refused):
    """The route exists, the method does not. ``allow`` lists the methods that do."""

    def __init__(self, message: str, allow: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.allow = allow


class UnsupportedMedia(Refused):
    """This content type is not taken here."""


class BodyTooLarge(Refused):
    """More bytes than any honest request needs."""


class RateLimited(Refused):
    """Too many requests; ``retry_after`` in seconds."""

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(FilmgateError):
    """A part we need is away for now; ``retry_after`` in seconds."""

    def __init__(self, message: str, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Inexpressible(FilmgateError):
    """A dialect has no words for a field of the request; routing tries another channel."""

    def __init__(self, dialect: str, field: str) -> None:
        super().__init__(f"the {dialect} dialect cannot express {field}")
        self.dialect = dialect
        self.field = field


class TaskFailed(FilmgateError):
    """A task ends badly; ``failure`` is what its owner is told."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class InputUnfetchable(TaskFailed):
    """An image or clip that the caller named could not be fetched (document 003, section 8)."""

    def __init__(self, message: str) -> None:
        super().__init__(Failure(code="invalid_argument", message=message))


class NotSubmitted(FilmgateError):
    """An upstream surely did not take the job, so it may be sent again after ``retry_after`` s."""

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CredentialsRefused(NotSubmitted):
    """An upstream refused our own credential; its caller must never see that as theirs."""


class RequestRefused(NotSubmitted):
    """An upstream refused this request. ``failure`` is told if no other channel takes it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message, retry_after=0.0)
        self.failure = failure


class SendAgainHere(NotSubmitted):
    """An upstream may have taken the job, but will know it again by its idempotency key.

    So the job may be sent once more, to that same upstream and to no other.
    """


class SubmitUnknown(FilmgateError):
    """An upstream may have taken (and billed) the job: it must never be sent again blindly."""


class StillRunning(FilmgateError):
    """An upstream could not be asked just now; the task is still running as far as we know."""

    def __init__(self, message: str, retry_after: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ObjectMissing(FilmgateError):
    """No (whole) file is stored under this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"no file is stored under {key!r}; it was deleted or never finished")
        self.key = key
