"""A plugin whose top module does what only `connect` may."""

import threading

from anymodal import hookimpl

threading.Thread(target=threading.Event().wait, daemon=True).start()


class Plugin:
    @hookimpl
    def anymodal_text_providers(self):
        from acme import spec

        return [spec(id="acme-starts-a-thread", backends={"asyncio"})]

    @hookimpl
    def anymodal_emulators(self):
        from acme import Plugin as Good
        from acme import spec

        return Good(lambda: spec(id="acme-starts-a-thread")).anymodal_emulators()
