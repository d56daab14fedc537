"""What a newcomer reads first: where the server is, a key, and a request to paste for every API."""

from __future__ import annotations

from pathlib import Path

_EXAMPLES = {
    "xAI (documents 001, 002)": """\
curl {url}/v1/videos/generations -H "Authorization: Bearer $FILMGATE_KEY" \\
  -H "Content-Type: application/json" -d '{{
    "model": "grok-imagine-video", "duration": 4,
    "prompt": "A serene lake at sunrise with mist rolling over the water"}}'
# then, until "status" is "done":
curl {url}/v1/videos/REQUEST_ID -H "Authorization: Bearer $FILMGATE_KEY\"""",
    "new-api relays (documents 003, 004)": """\
curl {url}/v1/video/generations -H "Authorization: Bearer $FILMGATE_KEY" \\
  -H "Content-Type: application/json" -d '{{
    "model": "grok-image-video", "seconds": 4,
    "prompt": "A red sports car driving through rainy neon streets at night"}}'
# then, until "status" is "SUCCESS":
curl {url}/v1/video/generations/TASK_ID -H "Authorization: Bearer $FILMGATE_KEY\"""",
    "OpenAI videos": """\
curl {url}/v1/videos -H "Authorization: Bearer $FILMGATE_KEY" \\
  -F model=grok-imagine-video -F seconds=4 -F size=1280x720 \\
  -F prompt="A small red ball bouncing once on a clean white tabletop"
# then, until "status" is "completed":
curl {url}/v1/videos/VIDEO_ID -H "Authorization: Bearer $FILMGATE_KEY\"""",
    "Chat, streamed (document 000)": """\
curl -N {url}/v1/chat/completions -H "Authorization: Bearer $FILMGATE_KEY" \\
  -H "Content-Type: application/json" -d '{{
    "model": "grok-imagine-1.0-video",
    "messages": [{{"role": "user", "content": "一枚水晶能量火箭从火星红色沙丘上发射升空"}}],
    "video_config": {{"video_length": "4", "aspect_ratio": "16:9"}}}}'""",
}


def welcome(url: str, key: str, home: Path, command: str, *, drawn: bool) -> str:
    """The text shown when the server is ready; ``key`` is ``""`` on every start but the first.

    ``command`` is how filmgate is called on this machine; ``drawn`` says that clips come from the
    sandbox.
    """
    lines = [f"filmgate is ready at {url}   (home: {home})", ""]
    if key:
        lines += [
            "Your first key, with a balance of $10.00. It is shown only once:",
            "",
            f"  export FILMGATE_KEY={key}",
        ]
    else:
        lines += [
            "Use a key you have, or make one in another terminal:",
            "",
            f"  {command} key create --home {home} --customer me --balance 10.00",
        ]
    lines += ["", "Make a video and watch it arrive:", ""]
    lines += [f'  {command} video "misty mountains at sunset" --base-url {url} -o out.mp4']
    for name, example in _EXAMPLES.items():
        lines += ["", f"# {name}", example.format(url=url)]
    if drawn:
        lines += [
            "",
            "No upstream is set up yet: videos come from the built-in sandbox, which draws them",
            f"procedurally: real MP4s, but not AI. Add one with: {command} channel add --help",
        ]
    lines += ["", "Stop with Ctrl-C; a restart keeps everything."]
    return "\n".join(lines)
