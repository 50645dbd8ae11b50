"""A small appservice on mautrix-python's AppService class: it starts as mautrix bridges do, pings, and serves on."""

import asyncio
import json
import os
import sys

from mautrix.appservice import AppService, ASStateStore
from mautrix.client.state_store.memory import MemoryStateStore
from mautrix.errors import MForbidden


class StateStore(ASStateStore, MemoryStateStore):
    """What the appservice knows, for as long as the process runs."""

    def __init__(self) -> None:
        ASStateStore.__init__(self)
        MemoryStateStore.__init__(self)
        self.registered: set[str] = set()

    async def is_registered(self, user_id: str) -> bool:
        return user_id in self.registered

    async def registered_user(self, user_id: str) -> None:
        self.registered.add(user_id)

    async def has_power_level_cached(self, room_id: str) -> bool:
        return False


def say(text: str) -> None:
    print(f"peer: {text}", flush=True)


async def start(appservice: AppService) -> None:
    await appservice.intent.versions()
    try:
        await appservice.intent.whoami()
    except MForbidden:
        await appservice.intent.ensure_registered()
        await appservice.intent.whoami()
    transaction_id = appservice.intent.api.get_txn_id()
    say(f"connected {await appservice.ping_self(transaction_id)}")


async def main() -> None:
    with open(os.environ["PEER_REGISTRATION"]) as file:
        registration = json.load(file)
    appservice = AppService(
        server=os.environ["PEER_HOMESERVER"],
        domain=os.environ["PEER_DOMAIN"],
        as_token=registration["as_token"],
        hs_token=registration["hs_token"],
        bot_localpart=registration["sender_localpart"],
        id=registration["id"],
        state_store=StateStore(),
    )
    await appservice.start("127.0.0.1", int(os.environ["PEER_PORT"]))
    say("listening")
    try:
        await start(appservice)
    except Exception as error:  # What a bridge logs before it exits with 16.
        say(f"failed {type(error).__name__}: {error}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
