"""Two hundred creates at once on a balance for ten make exactly ten, over real connections."""

import asyncio

import aiohttp

from tests.gateway import Gateway


async def test_two_hundred_creates_on_a_balance_for_ten(gateway: Gateway) -> None:
    key = gateway.new_key("racer", "0.54")  # ten of $0.05, and not quite an eleventh
    body = {"model": "grok-imagine-video", "prompt": "silk", "duration": 1}
    url = f"{gateway.base_url}/v1/videos"
    connector = aiohttp.TCPConnector(limit=0)
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def create() -> tuple[int, str]:
            async with session.post(f"{url}/generations", json=body) as response:
                answer = await response.json()
                return response.status, answer.get("request_id", "")

        answers = await asyncio.gather(*(create() for _ in range(200)))
        accepted = [request_id for status, request_id in answers if status == 200]
        assert len(set(accepted)) == 10
        assert sum(status == 403 for status, _ in answers) == 190
        for request_id in accepted:  # leave nothing to render
            async with session.delete(f"{url}/{request_id}") as response:
                assert response.status == 200
