"""What our clips say about themselves in the MP4 comment, so that an extension can go on."""

import msgspec

NOTICE = "procedural sandbox preview, not AI / 程序绘制的沙盒预览,非 AI 生成"
_MAX_COMMENT = 64_000
_MAX_END = 3600.0


class Provenance(msgspec.Struct, frozen=True, tag="filmgate-sandbox", tag_field="made_by"):
    """How a clip was drawn. Anyone can write such a comment: treat what is read as a wish."""

    prompt: str
    seed: int
    scene: str
    """A scene of the vocabulary, or ``image``, ``references`` or ``edit``: not drawn from text."""
    end: float
    """Where in the scene, in seconds, the clip stops."""
    weather: tuple[str, ...] = ()
    """The particles in the air by then."""
    notice: str = NOTICE

    def encode(self) -> str:
        """As the text of an MP4 comment."""
        return msgspec.json.encode(self).decode()


def read_comment(comment: str) -> Provenance | None:
    """The provenance in a clip's comment; None when it is not one of ours."""
    if len(comment) > _MAX_COMMENT:
        return None
    try:
        found = msgspec.json.decode(comment, type=Provenance)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
    return found if 0 <= found.end <= _MAX_END and abs(found.seed) < 2**63 else None
